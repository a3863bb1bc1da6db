export const patterns = [];
