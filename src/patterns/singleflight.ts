/**
 * Singleflight: who asks for the same at the same time gets the same answer. `singleflight/loading-cache` keeps it,
 * too; `singleflight/batching` asks for several at once.
 */
export {
  type Flight,
  type FlightWork,
  SingleFlight,
  type SingleFlightOptions,
} from "./singleflight/flights.ts";
