/** Imports a peer from beside this file, where the peers are installed. */
export function peer(name: string): Promise<unknown> {
  return import(name);
}
