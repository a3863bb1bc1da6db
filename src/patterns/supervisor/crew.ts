/**
 * Starts and stops children, and tells what became of them. Used by one task, the supervisor's own.
 */
import { type CancelOptions, isCancelled, linkCancel } from "../../core/cancellation.ts";
import { TimeoutError, withSuppressed } from "../../core/errors.ts";
import type { Runtime } from "../../core/runtime.ts";
import { type Outcome, outcomeOf } from "../../core/task.ts";
import { Channel } from "../../sync/channel.ts";
import { background, type Context, withTimeout } from "../../sync/context.ts";
import type { Announcer, ChildNews } from "./events.ts";
import { ChildLife } from "./life.ts";
import { IDLE, type Member, Roster } from "./roster.ts";
import { type CheckedSpec, failed } from "./spec.ts";

/** A life has ended, or is silent. */
export interface News {
  readonly member: Member;
  readonly life: ChildLife;
}

/** Why a child did not start. */
export interface StartFailure {
  readonly error: unknown;
}

/** What a crew needs. */
export interface CrewSetting {
  readonly runtime: Runtime;
  readonly name: string;
  /** The name under which the event log groups the children. */
  readonly group: string | undefined;
  readonly announcer: Announcer;
  /** Ends when children are no longer to be started. */
  readonly ctx: Context;
}

/**
 * Invariant
 *   I1  A life is told of once: that it ended or failed by itself, or that it was stopped or abandoned.
 */
export class Crew {
  readonly roster: Roster;
  /** Needs no bound of its own: a life is heard of twice at most, and one that is being stopped not at all. */
  readonly news: Channel<News>;
  readonly #setting: CrewSetting;

  constructor(specs: readonly CheckedSpec[], setting: CrewSetting) {
    this.roster = new Roster(specs);
    this.news = new Channel(Number.POSITIVE_INFINITY, { name: `${setting.name} ends` });
    this.#setting = setting;
  }

  /**
   * Starts a child and waits until it is ready. Gives why it is not; it does not run then, unless everything is to stop.
   * If `givenUp` ends, the child is stopped again.
   */
  async start(member: Member, givenUp?: CancelOptions): Promise<StartFailure | undefined> {
    const { runtime, group, ctx } = this.#setting;
    const hear = (life: ChildLife): void => {
      if (member.runs(life)) this.news.trySend({ member, life });
    };
    const label = { restarts: member.starts++, group };
    const life = new ChildLife(runtime, member.spec, label, hear);
    this.roster.set(member, { is: "starting", life });
    const ready = await this.#untilReady(member.spec, life, givenUp);
    if (!ready.ok && ctx.error !== undefined) return undefined;
    if (!ready.ok) return { error: await this.#notReady(member, life, ready.error, givenUp) };
    this.roster.set(member, { is: "running", life });
    if (!life.ignored) this.tell(member, { type: "started" });
    if (life.outcome !== undefined || life.silent) hear(life);
    return undefined;
  }

  /** Stops a child, if it runs. One that has ended before it was told to has ended by itself. */
  async stop(member: Member, patience?: CancelOptions): Promise<void> {
    const { state } = member;
    this.roster.set(member, IDLE);
    if (!("life" in state)) return;
    const { life } = state;
    if (life.outcome !== undefined) return this.ended(member, life);
    this.roster.set(member, { is: "stopping", life });
    const news = await life.stop(undefined, patience);
    this.roster.set(member, IDLE);
    this.tell(member, news);
  }

  /** Stops children in reverse order, each waited for. */
  async stopInReverse(members: readonly Member[]): Promise<void> {
    for (const member of members.toReversed()) await this.stop(member);
  }

  /** Stops all children at once, and waits for `limitMs` at most. */
  async stopTogether(limitMs: number): Promise<void> {
    const patience = withTimeout(background, limitMs);
    await Promise.all(this.roster.all.map((member) => this.stop(member, patience.ctx)));
    patience.cancel();
  }

  /** Ends a child because of a failure that it does not know of, and tells that it failed. Gives the error. */
  async fail(member: Member, life: ChildLife, error: unknown): Promise<unknown> {
    const stopped = await this.#end(member, life, error);
    if (stopped.type === "abandoned") this.tell(member, stopped);
    const further = stopped.type === "stopped" && stopped.error !== undefined ? [stopped.error] : [];
    const failure = withSuppressed(error, further);
    this.tell(member, { type: "failed", error: failure });
    return failure;
  }

  /** A child has ended by itself. */
  ended(member: Member, { outcome, ignored }: ChildLife): void {
    this.roster.set(member, IDLE);
    if (outcome === undefined || outcome.ok)
      return this.tell(member, { type: ignored ? "ignored" : "ended" });
    const { error } = outcome;
    this.tell(member, failed(outcome) ? { type: "failed", error } : { type: "ended", error });
  }

  /** Tells what happened. */
  tell(member: Member, news: ChildNews): void {
    const restarts = news.type === "restarting" ? member.starts : member.starts - 1;
    this.#setting.announcer.tell({ id: member.spec.id, restarts, ...news });
  }

  /** Waits until it is ready, its time is over, `givenUp` ends, or everything is to stop. */
  #untilReady(
    spec: CheckedSpec,
    life: ChildLife,
    givenUp: CancelOptions | undefined,
  ): Promise<Outcome<void>> {
    const { id, readyWithinMs } = spec;
    if (readyWithinMs === undefined) return outcomeOf(() => life.ready());
    return this.#untilReadyWithin(id, readyWithinMs, life, givenUp);
  }

  async #untilReadyWithin(
    id: string,
    readyWithinMs: number,
    life: ChildLife,
    givenUp: CancelOptions | undefined,
  ): Promise<Outcome<void>> {
    const cause = new TimeoutError(`child ${JSON.stringify(id)} was not ready within ${readyWithinMs} ms`);
    const patience = withTimeout(this.#setting.ctx, readyWithinMs, { cause });
    const link = linkCancel(givenUp, { onCancel: (reason) => patience.cancel(reason) });
    const ready = await outcomeOf(() => life.ready(patience.ctx));
    link?.release();
    patience.cancel();
    return ready;
  }

  async #notReady(
    member: Member,
    life: ChildLife,
    error: unknown,
    givenUp: CancelOptions | undefined,
  ): Promise<unknown> {
    if (life.outcome !== undefined || !isCancelled(givenUp)) return this.fail(member, life, error);
    this.tell(member, await this.#end(member, life, error));
    return error;
  }

  async #end(member: Member, life: ChildLife, error: unknown): ReturnType<ChildLife["stop"]> {
    this.roster.set(member, { is: "stopping", life });
    const stopped = await life.stop(error);
    this.roster.set(member, IDLE);
    return stopped;
  }
}
