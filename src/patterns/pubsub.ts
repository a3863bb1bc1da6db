/**
 * Publish-subscribe: everybody who subscribes to a topic is told. What goes beyond that is in modules of its own:
 * `topics` for wildcards, `gaps`, `queue-group`, `replay` and `request`.
 */
export type { Registration } from "../sync/registration.ts";
export {
  type Listener,
  type ListenOptions,
  type MessageHandler,
  type MessageOf,
  PubSub,
  type Topic,
} from "./pubsub/bus.ts";
export type { SubscriptionOverflow, SubscribeOptions, Subscription } from "./pubsub/subscription.ts";
