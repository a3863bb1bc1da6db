import { Channel } from "concurrency-model-patterns/channel";
import { receive, select, send } from "concurrency-model-patterns/select";
import { TaskGroup } from "concurrency-model-patterns/task-group";
import { expect } from "vitest";

/**
 * Ten tasks on four channels: a sender and a receiver for each, and one that sends and one that receives on whichever is
 * ready. Gives how many values were received, of `each` that a sender sends on a channel; in the end nothing is left.
 */
export async function crowd(each: number): Promise<number> {
  const channels = [0, 0, 2, 3].map((capacity) => new Channel<number>(capacity));
  const [a, b, c, d] = channels as [Channel<number>, Channel<number>, Channel<number>, Channel<number>];
  let received = 0;
  await TaskGroup.run((group) => {
    for (const channel of channels) {
      group.go(async () => {
        for (let n = 0; n < each; n++) await channel.send(n, group.ctx);
      });
      group.go(async () => {
        for (let n = 0; n < each; n++, received++) await channel.receive(group.ctx);
      });
    }
    group.go(async () => {
      const left = { a: each, b: each, c: each, d: each };
      for (let n = 0; n < 4 * each; n++) {
        const cases = {
          a: left.a > 0 && send(a, n),
          b: left.b > 0 && send(b, n),
          c: left.c > 0 && send(c, n),
          d: left.d > 0 && send(d, n),
        };
        left[(await select(cases, group.ctx)).key]--;
      }
    });
    group.go(async () => {
      const left = { a: each, b: each, c: each, d: each };
      for (let n = 0; n < 4 * each; n++, received++) {
        const cases = {
          a: left.a > 0 && receive(a),
          b: left.b > 0 && receive(b),
          c: left.c > 0 && receive(c),
          d: left.d > 0 && receive(d),
        };
        left[(await select(cases, group.ctx)).key]--;
      }
    });
  });
  for (const channel of channels)
    expect([channel.size, channel.waiting]).toEqual([0, { senders: 0, receivers: 0 }]);
  return received;
}
