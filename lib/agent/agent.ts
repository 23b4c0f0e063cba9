import { callback, count, duration, flag, onlyKnown, optionsObject, refuse } from '../checks.js'
import { Foresight, type ForesightOptions } from '../foresight/face.js'
import type { StewardStatus, StewardTerms } from '../foresight/steward.js'
import { noticeBoardOf } from '../notice-board.js'
import type { Extra } from '../plan/extra.js'
import type { GuardStatus } from '../plan/tiers-guard.js'
import type { WarmPlans } from '../plan/warm-planner.js'
import { mustRunWith, otherwise } from '../running-options.js'
import type { Session } from '../session.js'
import { IDLE_COST, WAIT_COSTS } from '../wait-costs.js'
import { type OnWarm, type WarmCallCounts, WarmCalls } from '../warm-calls.js'
import { readWarm, type WarmOptions } from './warm-options.js'

/** As of foresight, but that it learns who collides with whom only when it is asked. */
export interface AgentOptions extends ForesightOptions {
  /** what waiting costs a request and second, by name of its tier; default 1, 2, 8, 32 from the lowest up */
  waitCosts?: Readonly<Record<string, number>> | undefined
  /** the same of workflows that are not to count as their tiers, by name: one that is dearer than its tier is raised where the pools that it is about to come to will be short */
  workflowCosts?: Readonly<Record<string, number>> | undefined
  /** what a unit that nobody has costs a second; default 1 */
  idleCost?: number | undefined
  /** part of the time, and of the locks, in which nothing is planned, so that there is something to compare with; 0 to 0.5, default 0.02 */
  control?: number | undefined
  /** of what is drawn at random; default 1 */
  seed?: number | undefined
  /** of a pool nothing is kept for a tier, but from the moment on at which contention is as probable as `threshold`; default: what the costs say, all the time */
  extra?: Extra | undefined
  /** what is made ready that is likely to be asked for; false: nothing */
  warm?: WarmOptions | false | undefined
  /** whether the beginning of a workflow makes plans for those that it usually raises; default true */
  triggers?: boolean | undefined
  /** called in this environment for each lock, bucket and pool that is likely to be asked for, so that what lies behind it can be made ready, too */
  onWarm?: OnWarm | undefined
}

export interface AgentStatus extends Omit<StewardStatus, 'pools' | 'buckets' | 'shares' | 'warm'> {
  /** what is kept, by name of the pool */
  readonly pools: Readonly<Record<string, GuardStatus>>
  /** the same of buckets, of which more than a token may be had at once */
  readonly buckets: Readonly<Record<string, GuardStatus>>
  /** the shares of tiers, by name of the pool; of pools that have any */
  readonly shares: Readonly<Record<string, GuardStatus>>
  /** what came of warm-ups, and of the calls of `onWarm`; undefined: nothing is warmed up */
  readonly warm: (WarmPlans & WarmCallCounts) | undefined
}

const COSTS = ['waitCosts', 'workflowCosts', 'idleCost'] as const
const KNOWN = ['period', 'thread', 'contention', ...COSTS, 'control', 'seed', 'extra', 'warm', 'triggers', 'onWarm'] as const
const NO_CALLS: WarmCallCounts = { called: 0, failed: 0, skipped: 0 }
const PERIOD_MS = 100
const PERIOD_MIN_MS = 1
const CONTROL = 0.02
const CONTROL_MOST = 0.5
const COST_MOST = 1e9
/** Each is looked at each period, at each pool that it asks. */
const WORKFLOWS_MOST = 256
const SEED_MAX = 2 ** 32 - 1

/**
 * Makes room before it is asked for: learns by {@link Foresight} what comes, and writes plans by it, each behind a guard that knows what it brings. One agent of
 * an arena writes at a time; the others learn, and the first of them goes on when that one stops or its process dies. Without one, or with
 * one that hangs, what was planned ends within ten seconds, but reserves, which cost nobody anything, and all is as it was. See docs/guides/planning.md.
 */
export class Agent {
  readonly #session: Session
  readonly #foresight: Foresight
  #started: Promise<void> | undefined
  /** of the one that was started last, as {@link optionsOf} tells them */
  #options: AgentOptions = {}
  #warmCalls: WarmCalls | undefined
  #hearNoMore: () => void = () => {}

  /** @internal */
  constructor(session: Session, foresight: Foresight) {
    this.#session = session
    this.#foresight = foresight
  }

  /**
   * Begins to learn and to plan, in a thread of its own (under a virtual clock in the caller's); nothing if it does already with these options, or if none are given.
   *
   * @returns resolved when it learns; rejected with a ConfigError if it, or the foresight that learns already, does so with others, which {@link stop} and
   *   {@link Foresight.stop} end; with an ArgumentError, a CapacityError if the arena was made without room for telemetry, or a ClosedError
   */
  async start(options: AgentOptions = {}): Promise<void> {
    const { tiers } = this.#session
    const terms = readTerms(options, tiers)
    const wanted = optionsOf(terms, options.onWarm, tiers)
    if (this.#isRunning) {
      mustRunWith('the agent', this.#options, options, wanted)
      this.#mustLearnWith(options)
    } else {
      this.#begin(options, terms)
      this.#options = wanted
    }
    try {
      await this.#started
    } catch (error) {
      this.#started = undefined
      this.#hearNoMore()
      throw error
    }
  }

  /**
   * For who opens with `predict`: begins now, and whoever opened is told by a warning if it cannot.
   *
   * @throws ArgumentError @internal
   */
  static begin(agent: Agent, options: AgentOptions): void {
    readTerms(options, agent.#session.tiers)
    agent.start(options).catch(error => {
      // Closed before it had begun.
      if (!agent.#session.open) return
      const reason = error instanceof Error ? error.message : String(error)
      process.emitWarning(`The agent has not begun: ${reason}`, { type: 'ForelockAgentWarning', code: 'FORELOCK_AGENT' })
    })
  }

  /** Plans no more. What is in force ends by itself, within ten seconds but for reserves. Foresight goes on to learn. */
  async stop(): Promise<void> {
    const started = this.#started
    this.#started = undefined
    this.#hearNoMore()
    await started
    if (started !== undefined && this.#foresight.active) await Foresight.ask(this.#foresight, 'unplan')
  }

  /** Whether it is the one of the arena that plans: of its {@link status} what takes no counting. Undefined while it does nothing. @internal */
  static async leads(agent: Agent): Promise<boolean | undefined> {
    if (agent.#started === undefined || !agent.#foresight.active) return undefined
    return Foresight.ask(agent.#foresight, 'leads')
  }

  /** What it does, and what that brings; undefined while it does nothing. */
  async status(): Promise<AgentStatus | undefined> {
    if (this.#started === undefined || !this.#foresight.active) return undefined
    const status = await Foresight.ask(this.#foresight, 'planning')
    if (status === undefined) return undefined
    const warm = status.warm && { ...status.warm, ...(this.#warmCalls?.counts() ?? NO_CALLS) }
    const { pools, buckets, shares } = status
    return {
      ...status,
      pools: Object.fromEntries(pools),
      buckets: Object.fromEntries(buckets),
      shares: Object.fromEntries(shares),
      warm
    }
  }

  /** What is warmed up is told of wherever the agent learns; who makes it ready is here. */
  #call(onWarm: OnWarm | undefined, { warm }: StewardTerms): void {
    this.#hearNoMore()
    this.#warmCalls = onWarm === undefined || warm === undefined ? undefined : new WarmCalls(this.#session, onWarm, warm.most)
    const calls = this.#warmCalls
    if (calls === undefined) return
    this.#hearNoMore = noticeBoardOf(this.#session).on('warm', notice => {
      if (notice.event === 'warm' && notice.kind !== 'workflow') calls.call(notice)
    })
  }

  /** Not if its foresight has stopped: that took all with it. */
  get #isRunning(): boolean {
    return this.#started !== undefined && this.#foresight.active
  }

  #begin(options: AgentOptions, terms: StewardTerms): void {
    const looks = Foresight.periodOf(this.#foresight)
    if (looks !== undefined) {
      this.#mustLearnWith(options)
      // It plans when it has looked.
      if (options.period !== undefined && terms.period < looks) throw otherwise('foresight', 'period', looks, terms.period)
    } else {
      const { thread, contention = false } = options
      this.#foresight.start({ period: terms.period, contention, ...(thread !== undefined && { thread }) })
    }
    this.#call(options.onWarm, terms)
    this.#started = Foresight.ask(this.#foresight, 'plan', terms)
  }

  #mustLearnWith({ thread, contention }: AgentOptions): void {
    this.#foresight.start({ thread, contention })
  }
}

/** As they may be given. */
function optionsOf(terms: StewardTerms, onWarm: OnWarm | undefined, tiers: readonly string[]): AgentOptions {
  const { period, waitCosts, workflowCosts, idleCost, control, seed, extra, warm, triggers } = terms
  return {
    period,
    waitCosts: Object.fromEntries(waitCosts.map((cost, i) => [tiers[i], cost])),
    workflowCosts: Object.fromEntries(workflowCosts ?? []),
    idleCost,
    control,
    seed,
    extra,
    warm: warm ?? false,
    triggers,
    onWarm
  }
}

function readTerms(options: unknown, tiers: readonly string[]): StewardTerms {
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, KNOWN, 'agent.start()')
  const { period, waitCosts, workflowCosts, idleCost, control, seed, extra, warm, triggers, onWarm } = given as {
    [K in keyof AgentOptions]: unknown
  }
  if (onWarm !== undefined) callback(onWarm, 'onWarm')
  return {
    period: period === undefined ? PERIOD_MS : readPeriod(period),
    waitCosts: readCosts(waitCosts, tiers),
    workflowCosts: readWorkflowCosts(workflowCosts),
    idleCost: idleCost === undefined ? IDLE_COST : bounded(idleCost, 'idleCost', COST_MOST),
    control: control === undefined ? CONTROL : bounded(control, 'control', CONTROL_MOST),
    seed: seed === undefined ? 1 : count(seed, 'seed', 0, SEED_MAX),
    extra: readExtra(extra),
    warm: readWarm(warm),
    triggers: triggers === undefined ? true : flag(triggers, 'triggers')
  }
}

function readWorkflowCosts(value: unknown): ReadonlyMap<string, number> {
  const entries = Object.entries(optionsObject(value, 'workflowCosts') ?? {})
  if (entries.length > WORKFLOWS_MOST) throw refuse('workflowCosts', `an object of at most ${WORKFLOWS_MOST} workflows`, value)
  return new Map(entries.map(([workflow, cost]) => [workflow, bounded(cost, `workflowCosts.${workflow}`, COST_MOST)]))
}

function readExtra(value: unknown): Extra | undefined {
  const given = optionsObject(value, 'extra')
  if (given === undefined) return undefined
  onlyKnown(given, ['threshold', 'share'], 'extra')
  const { threshold, share } = given as { [K in keyof Extra]: unknown }
  return {
    threshold: threshold === undefined ? undefined : bounded(threshold, 'extra.threshold', 1),
    share: share === undefined ? undefined : bounded(share, 'extra.share', 1)
  }
}

function readCosts(value: unknown, tiers: readonly string[]): number[] {
  const given = optionsObject(value, 'waitCosts') ?? {}
  onlyKnown(given, tiers, 'waitCosts')
  const costs = given as Record<string, unknown>
  return tiers.map((tier, i) => (costs[tier] === undefined ? (WAIT_COSTS[i] ?? 0) : bounded(costs[tier], `waitCosts.${tier}`, COST_MOST)))
}

function bounded(value: unknown, option: string, most: number): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= most)) throw refuse(option, `a number from 0 to ${most}`, value)
  return value
}

function readPeriod(value: unknown): number {
  const period = duration(value, 'period')
  if (period < PERIOD_MIN_MS) throw refuse('period', `ms from ${PERIOD_MIN_MS} on`, value)
  return period
}
