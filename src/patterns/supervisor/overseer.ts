/**
 * The supervisor's own task: what it does when a child ends, and what it is asked to do.
 */
import { isCancelled, type CancelOptions } from "../../core/cancellation.ts";
import type { Deferred } from "../../core/deferred.ts";
import { FullError, MisuseError, TimeoutError } from "../../core/errors.ts";
import { giveTurn } from "../../core/fairness.ts";
import type { Resource } from "../../core/resource.ts";
import { type Outcome, outcomeOf, valueOf } from "../../core/task.ts";
import type { Waiter } from "../../core/waiter.ts";
import type { CancelableContext } from "../../sync/context.ts";
import { after, done, receive, type SelectCase, select } from "../../sync/select.ts";
import { Commands, supervisorEnded } from "./commands.ts";
import { Crew, type CrewSetting, type News } from "./crew.ts";
import type { SupervisorTree } from "./inner.ts";
import type { CheckedOptions } from "./options.ts";
import { type RestartReason, SupervisorError } from "./restart-intensity.ts";
import { type Member, NO_STREAK } from "./roster.ts";
import { type CheckedSpec, failed, wantsRestart } from "./spec.ts";

/** What an overseer needs. */
export interface OverseerSetting extends Omit<CrewSetting, "ctx"> {
  readonly options: CheckedOptions;
  readonly resource: Resource | undefined;
  /** Ends when everything is to stop. */
  readonly scope: CancelableContext;
  /** Settled when the children of the list have been started, or will not be. */
  readonly started: Deferred<void>;
}

/**
 * Invariants
 *   I1  A child is idle, due at an instant, or has one life. What is heard of any other life of it is ignored.
 *   I2  Only this task starts and stops children, one after the other.
 *   I3  Once `run` has settled, no child runs, except those that were abandoned; nobody waits, and no timer is left.
 */
export class Overseer {
  readonly #setting: OverseerSetting;
  readonly #crew: Crew;
  readonly #commands: Commands;
  #restarts = 0;

  constructor(specs: readonly CheckedSpec[], setting: OverseerSetting) {
    this.#setting = setting;
    this.#crew = new Crew(specs, { ...setting, ctx: setting.scope.ctx });
    this.#commands = new Commands(setting.runtime, setting.resource, setting.name);
  }

  get active(): number {
    return this.#crew.roster.active;
  }

  get restarts(): number {
    return this.#restarts;
  }

  tree(): SupervisorTree {
    const children = this.#crew.roster.all.map((member) => member.node());
    return { name: this.#setting.name, restarts: this.#restarts, children };
  }

  /** Starts all, keeps them running, stops all. Throws that it gave up. */
  async run(): Promise<void> {
    const { options, scope, started, announcer } = this.#setting;
    const end = await outcomeOf(() => this.#supervise());
    this.#commands.close();
    if (options.stopping === "in-reverse") await this.#crew.stopInReverse(this.#crew.roster.all);
    else await this.#crew.stopTogether(options.stopping.limitMs);
    scope.cancel();
    started.settle({ ok: false, error: end.ok ? supervisorEnded() : end.error });
    announcer.close();
    valueOf(end);
  }

  /** Adds a child and starts it. One that cannot be started, or is no longer wanted by then, is not added. */
  add(spec: CheckedSpec, options: CancelOptions | undefined): Promise<void> {
    return this.#commands.submit("add", (caller: Waiter<void>) => this.#add(spec, caller, options), options);
  }

  /** Stops a child and forgets it. */
  remove(id: string, options: CancelOptions | undefined): Promise<boolean> {
    const { roster } = this.#crew;
    const remove = async (caller: Waiter<boolean>): Promise<void> => {
      const member = roster.get(id);
      if (member === undefined) return caller.grant(false);
      await this.#crew.stop(member);
      roster.forget(member);
      caller.grant(true);
    };
    return this.#commands.submit("remove", remove, options);
  }

  /** Stops a child, if it runs, and starts it. */
  restart(id: string, options: CancelOptions | undefined): Promise<void> {
    return this.#commands.submit("restart", (caller: Waiter<void>) => this.#restartNow(id, caller), options);
  }

  /** Returns when it is to stop or nobody is left; throws when it gives up. */
  async #supervise(): Promise<void> {
    const { ctx } = this.#setting.scope;
    await this.#startAll();
    while (ctx.error === undefined) {
      if (this.#crew.roster.anyDue) await this.#startDue();
      if (this.#commands.size > 0) await this.#commands.serve();
      if (this.#nothingLeft()) return;
      const heard = this.#heard();
      if (heard !== undefined) {
        await this.#onNews(heard);
        await giveTurn(this.#setting.runtime);
        continue;
      }
      const next = await select(
        {
          stop: done(ctx),
          news: receive(this.#crew.news),
          command: receive(this.#commands.wake),
          due: this.#untilDue(),
        },
        { order: "priority" },
      );
      if (next.key === "news" && next.done !== true) await this.#onNews(next.value);
    }
  }

  /** News that are there already. In a simulation what happens next is a choice, and made by the select. */
  #heard(): News | undefined {
    const { runtime, scope } = this.#setting;
    if (runtime.scheduler !== undefined || scope.ctx.error !== undefined) return undefined;
    return this.#crew.news.tryReceive()?.value;
  }

  async #startAll(): Promise<void> {
    const { scope, started } = this.#setting;
    for (const member of this.#crew.roster.all) {
      if (scope.ctx.error !== undefined) return;
      const failure = await this.#crew.start(member);
      if (failure === undefined) continue;
      throw this.#gaveUp(member, { after: "failed", ...failure }, "could not be started");
    }
    if (scope.ctx.error === undefined) started.settle({ ok: true, value: undefined });
  }

  async #startDue(): Promise<void> {
    const { runtime, scope } = this.#setting;
    for (const member of this.#crew.roster.dueAt(runtime.clock.now())) {
      if (scope.ctx.error !== undefined) return;
      const failure = await this.#crew.start(member);
      if (failure !== undefined) return this.#restart(member, { after: "failed", ...failure }, 0);
    }
  }

  /** Waits for the next start; disabled if there is none. */
  #untilDue(): SelectCase<{ readonly value: number }> | undefined {
    const { nextDueMs } = this.#crew.roster;
    if (nextDueMs === Number.POSITIVE_INFINITY) return undefined;
    return after(nextDueMs - this.#setting.runtime.clock.now());
  }

  #nothingLeft(): boolean {
    if (this.#setting.options.whenIdle === "stay") return false;
    return this.#crew.roster.idle && this.#commands.size === 0;
  }

  async #add(spec: CheckedSpec, caller: Waiter<void>, options: CancelOptions | undefined): Promise<void> {
    const { roster } = this.#crew;
    const { capacity } = this.#setting.options;
    if (roster.get(spec.id) !== undefined)
      return caller.fail(new MisuseError(`child ${JSON.stringify(spec.id)} is there already`));
    if (roster.size >= capacity)
      return caller.fail(new FullError(`supervisor is full: it has ${capacity} children`));
    const member = roster.add(spec);
    const failure = await this.#crew.start(member, options);
    if (failure === undefined && !isCancelled(options)) return this.#answer(caller);
    await this.#crew.stop(member);
    roster.forget(member);
    caller.fail(failure?.error);
  }

  async #restartNow(id: string, caller: Waiter<void>): Promise<void> {
    const { scope } = this.#setting;
    const member = this.#crew.roster.get(id);
    if (member === undefined) return caller.fail(new MisuseError(`there is no child ${JSON.stringify(id)}`));
    await this.#crew.stop(member);
    if (scope.ctx.error !== undefined) return this.#answer(caller);
    member.streak = NO_STREAK;
    const failure = await this.#crew.start(member);
    if (failure === undefined) return this.#answer(caller);
    caller.fail(failure.error);
    this.#forgetTemporary(member);
    if (member.spec.restart !== "temporary") await this.#restart(member, { after: "failed", ...failure }, 0);
  }

  /** It was done, unless everything was told to stop meanwhile. */
  #answer(caller: Waiter<void>): void {
    if (this.#setting.scope.ctx.error === undefined) caller.grant();
    else caller.fail(supervisorEnded());
  }

  async #onNews({ member, life }: News): Promise<void> {
    const { outcome, livedMs } = life;
    if (!member.runs(life)) return;
    if (outcome !== undefined) {
      this.#crew.ended(member, life);
      if (life.ignored) this.#forgetTemporary(member);
      else await this.#onEnd(member, outcome, livedMs);
    } else {
      const { id, watchdogMs } = member.spec;
      const silence = new TimeoutError(`child ${JSON.stringify(id)} gave no heartbeat for ${watchdogMs} ms`);
      const error = await this.#crew.fail(member, life, silence);
      await this.#onEnd(member, { ok: false, error }, livedMs);
    }
  }

  async #onEnd(member: Member, outcome: Outcome<void>, livedMs: number): Promise<void> {
    this.#forgetTemporary(member);
    if (!wantsRestart(member.spec, outcome)) return this.#autoShutdown(member);
    const error = outcome.ok ? undefined : outcome.error;
    await this.#restart(member, { after: failed(outcome) ? "failed" : "ended", error }, livedMs);
  }

  /** Stops whom a restart takes along, and lets all of them be due. Throws if it is one too many. */
  async #restart(
    member: Member,
    reason: Pick<RestartReason, "after" | "error">,
    livedMs: number,
  ): Promise<void> {
    const { runtime, scope, options } = this.#setting;
    if (scope.ctx.error !== undefined) return;
    const before = livedMs >= options.healthyAfterMs ? NO_STREAK : member.streak;
    const restarts = before.restarts + 1;
    const delayMs = options.restartDelay(restarts, before.delayMs, reason.error);
    member.streak = { restarts, delayMs };
    if (delayMs === Number.POSITIVE_INFINITY)
      throw this.#gaveUp(member, reason, `${reason.after}, and its delay allows no further restart`);
    this.#countRestart(member, reason, delayMs);
    const affected = this.#affected(member);
    if (affected.length > 1) await this.#crew.stopInReverse(affected);
    const atMs = runtime.clock.now() + delayMs;
    for (const other of affected) {
      this.#forgetTemporary(other);
      if (other.spec.restart !== "temporary") this.#crew.roster.set(other, { is: "due", atMs });
    }
  }

  /** Gives up because of one child, however many restarts there were. */
  #gaveUp(member: Member, reason: Pick<RestartReason, "after" | "error">, why: string): SupervisorError {
    const { id } = member.spec;
    this.#crew.tell(member, { type: "gave-up", error: reason.error });
    const history = [{ id, ...reason, atMs: this.#setting.runtime.clock.now() }];
    return new SupervisorError(`child ${JSON.stringify(id)} ${why}`, history);
  }

  /** Announces a restart. Throws if it is one too many. */
  #countRestart(member: Member, reason: Pick<RestartReason, "after" | "error">, delayMs: number): void {
    const { runtime, options, resource } = this.#setting;
    const { id } = member.spec;
    const { error } = reason;
    try {
      options.intensity.count({ id, ...reason, atMs: runtime.clock.now() });
    } catch (gaveUp) {
      this.#crew.tell(member, { type: "gave-up", error });
      throw gaveUp;
    }
    this.#restarts++;
    const { strategy } = options;
    resource?.emit({ k: "super.restart", child: id, n: member.starts, delay: delayMs, strategy });
    this.#crew.tell(member, { type: "restarting", ...reason, delayMs });
  }

  /** Whom a restart of `member` takes along, itself included, in order. */
  #affected(member: Member): readonly Member[] {
    const { strategy } = this.#setting.options;
    if (strategy === "one-for-one") return [member];
    const { all } = this.#crew.roster;
    return strategy === "one-for-all" ? all : all.slice(all.indexOf(member));
  }

  /** A temporary child that no longer runs never will. */
  #forgetTemporary(member: Member): void {
    if (member.spec.restart === "temporary") this.#crew.roster.forget(member);
  }

  /** Whether this end, after which there is no restart, is that of the supervisor. */
  #autoShutdown(member: Member): void {
    const { options, scope } = this.#setting;
    if (!member.spec.significant) return;
    const left = this.#crew.roster.all.some(({ spec, state }) => spec.significant && state.is !== "idle");
    if (left && options.autoShutdown === "all-significant") return;
    this.#crew.tell(member, { type: "auto-shutdown" });
    scope.cancel();
  }
}
