import type { LagQuantiles } from '../predict/lags.js'
import { type Trigger, Triggers } from '../predict/triggers.js'
import { type Ask, Asks } from './asks.js'
import { bytesOf, type SavedSequels, WITHIN_MS, writeSequels } from './saved-sequels.js'
import type { WarmKind } from './warm-planner.js'

/** A workflow that another one has raised, and that has not begun yet. */
export interface Due {
  readonly workflow: string
  /** ms from now within which it begins, if it does */
  readonly from: number
  readonly until: number
  /** that it still comes */
  readonly probability: number
  /** what it usually asks for when it begins */
  readonly asks: readonly Ask[]
  /** That it comes within so many ms from now. */
  within(ms: number): number
}

/** What came of what was foretold so. */
export interface SequelsStatus {
  /** pairs of workflows of which one raises the other */
  readonly known: number
  /** times that one was expected, and those of them that it came in time, and did not */
  readonly foretold: number
  readonly came: number
  readonly missed: number
}

interface Rule {
  readonly from: string
  readonly to: string
  probability: number
  lag: LagQuantiles
  /** times that it came, by how often it was said to; old ones fade */
  expected: number
  came: number
}

interface Pending {
  readonly rule: Rule
  /** ms at which the one that raises it began */
  readonly began: number
  readonly probability: number
}

interface Known {
  last: number
  /** ms at which it was put behind all others */
  moved: number
  began: number
  /** whether it was foretold that it would begin then */
  isForetold: boolean
  readonly asks: Asks
}

const WORKFLOWS_MOST = 256
/** Workflows that one raises: the most certain ones. */
const RAISED_MOST = 8
/** Beginnings a second that are looked at, each of which is compared with all workflows: up to 0.4 ms. Of more, triggers seem less likely than they are. */
const BEGINNINGS_MOST = 100
const SECOND_MS = 1_000
/** A workflow that has asked for nothing for so long begins anew with its next request, ms; what it asks for in so long from there belongs to its beginning. */
const QUIET_MS = 625
const BEGINNING_MS = 1_000
/** Between two looks at what raises what, which may take some ms: at least so long, and until a part more of beginnings are known, or so many. */
const LEARN_EVERY_MS = 10_000
const LEARN_PART = 0.05
const LEARN_MOST = 100
/** Of what is less likely, nothing is made. */
const LEAST = 0.05
/** Of one workflow, beginnings that may be expected at once: more say only that it comes all the time. */
const PENDING_MOST = 8
/** Times from which is learnt how often what is foretold comes, and those of which one counts a third by then. */
const TRUST_KNOWN = 5
const TRUST_OF = 50
/** Quantiles of lags are right within a fifth; a tenth is below the lowest, and a tenth above the highest. */
const BEYOND = 1.5

/**
 * What a workflow that begins will be followed by, and what that one will ask for: where A raises B with a probability and after a lag ({@link Triggers}), A's
 * beginning foretells B's. Beginnings are known from requests alone: the first one after a while without any. So it is known at once, and of a workflow that asks all the
 * time nothing is known. How often what is foretold comes is counted for each pair, and what it says is lowered by it: what has raised something once need not do so for ever.
 */
export class Sequels {
  readonly #triggers = WITHIN_MS.map(within => new Triggers({ within, streams: WORKFLOWS_MOST }))
  readonly #known = new Map<string, Known>()
  readonly #rules = new Map<string, Rule>()
  /** by who raises */
  #rulesOf = new Map<string, Rule[]>()
  /** by who is raised, in the order of their beginnings */
  readonly #pending = new Map<string, Pending[]>()
  #learnt = Number.NEGATIVE_INFINITY
  #learntOf = 0
  #beginnings = 0
  #second = { number: 0, beginnings: 0 }
  #foretold = 0
  #came = 0
  #missed = 0

  /**
   * A workflow is at work: it has asked for something.
   *
   * @param time ms; in order
   * @returns whether it belongs to a beginning that was foretold
   */
  came(workflow: string, time: number, kind?: WarmKind, name = '', tier = 0, amount = 0): boolean {
    const known = this.#meet(workflow, time)
    this.#meetDue(workflow, time, known)
    const isBeginning = time - known.last >= QUIET_MS
    known.last = Math.max(known.last, time)
    if (isBeginning) this.#begin(workflow, time, known)
    else if (time - known.began > BEGINNING_MS) known.asks.turn(false)
    if (kind !== undefined) known.asks.came(kind, name, tier, amount)
    return known.isForetold && time - known.began <= BEGINNING_MS
  }

  /** Goes on to a time, ms: what has not come by then does not come. */
  advance(now: number): void {
    for (const [workflow, all] of this.#pending) {
      if (all.every(one => isOpen(one, now))) continue
      for (const one of all) if (!isOpen(one, now)) this.#settle(one, false)
      const left = all.filter(one => isOpen(one, now))
      if (left.length === 0) this.#pending.delete(workflow)
      else this.#pending.set(workflow, left)
    }
    const more = Math.min(LEARN_MOST, LEARN_PART * this.#learntOf)
    if (now - this.#learnt >= LEARN_EVERY_MS && this.#beginnings > this.#learntOf + more) this.#learn(now)
  }

  /** Whether anything is. */
  get isExpecting(): boolean {
    return this.#pending.size > 0
  }

  /** What is expected. @param now ms */
  *due(now: number): Generator<Due> {
    for (const [workflow, all] of this.#pending) {
      const asks = [...(this.#known.get(workflow)?.asks.usual() ?? [])]
      for (const { rule, began, probability } of all) {
        if (probability === 0) continue
        const ago = Math.max(0, now - began)
        const gone = partBefore(rule.lag, ago)
        const left = 1 - probability * gone
        yield {
          workflow,
          from: Math.max(0, earliest(rule.lag) - ago),
          until: Math.max(0, latest(rule.lag) - ago),
          probability: left > 0 ? (probability * (1 - gone)) / left : 0,
          asks,
          within: ms => (left > 0 ? (probability * (partBefore(rule.lag, ago + ms) - gone)) / left : 0)
        }
      }
    }
  }

  /** What was learnt; what is expected now is no part of it. */
  save(): Uint8Array {
    return writeSequels({
      beginnings: this.#beginnings,
      triggers: this.#triggers.map(triggers => Buffer.from(triggers.save()).toString('base64')),
      workflows: [...this.#known].map(([name, { asks }]) => ({ name, begun: asks.begun, asks: asks.save() })),
      trust: [...this.#rules.values()].map(({ from, to, expected, came }) => ({ from, to, expected, came }))
    })
  }

  /** Goes on from what was saved, in place of what it knows. */
  load({ beginnings, triggers, workflows, trust }: SavedSequels): void {
    for (const [i, own] of this.#triggers.entries()) own.load(bytesOf(triggers[i] as string))
    const past = Number.NEGATIVE_INFINITY
    this.#known.clear()
    this.#pending.clear()
    this.#rules.clear()
    for (const { name, begun, asks } of workflows.slice(-WORKFLOWS_MOST)) {
      // When it last asked nobody knows any more: whatever comes first begins it.
      const known = { last: past, moved: past, began: past, isForetold: false, asks: new Asks() }
      known.asks.load(begun, asks)
      this.#known.set(name, known)
    }
    this.#beginnings = beginnings
    if (workflows.length > 0) this.#learn(0)
    this.#learnt = past
    for (const { from, to, expected, came } of trust) {
      const rule = this.#rules.get(`${from}\0${to}`)
      if (rule !== undefined) Object.assign(rule, { expected, came })
    }
  }

  status(): SequelsStatus {
    return { known: this.#rules.size, foretold: this.#foretold, came: this.#came, missed: this.#missed }
  }

  #begin(workflow: string, time: number, known: Known): void {
    known.began = time
    this.#beginnings++
    known.asks.turn(true)
    if (this.#mayLookAt(time)) for (const triggers of this.#triggers) triggers.record([{ stream: workflow, time }])
    for (const rule of this.#rulesOf.get(workflow) ?? []) this.#foretell(rule, time)
  }

  #mayLookAt(time: number): boolean {
    const number = Math.floor(time / SECOND_MS)
    if (number !== this.#second.number) this.#second = { number, beginnings: 0 }
    return ++this.#second.beginnings <= BEGINNINGS_MOST
  }

  #foretell(rule: Rule, began: number): void {
    const probability = Math.min(1, rule.probability * trustIn(rule))
    const pending = this.#pending.get(rule.to) ?? []
    if (pending.length >= PENDING_MOST) return
    // Believed so little that nothing is made of it, it is still looked at whether it comes.
    this.#pending.set(rule.to, [...pending, { rule, began, probability: probability < LEAST ? 0 : probability }])
    this.#foretold++
  }

  /** What was expected has come: of several, the one that was raised first. */
  #meetDue(workflow: string, time: number, known: Known): void {
    const isBeginning = time - known.last >= QUIET_MS
    // What it asks for at its beginning is one coming.
    if (!isBeginning && time - known.began <= BEGINNING_MS) return
    const pending = this.#pending.get(workflow)
    const at = pending?.findIndex(({ rule, began }) => time - began >= earliest(rule.lag) && time - began <= latest(rule.lag)) ?? -1
    if (isBeginning) known.isForetold = at >= 0 && (pending?.[at]?.probability ?? 0) > 0
    if (pending === undefined || at < 0) return
    this.#settle(pending[at] as Pending, true)
    const left = pending.filter((_, i) => i !== at)
    if (left.length === 0) this.#pending.delete(workflow)
    else this.#pending.set(workflow, left)
  }

  #settle({ rule }: Pending, hasCome: boolean): void {
    const left = 1 - 1 / TRUST_OF
    rule.expected = rule.expected * left + rule.probability
    rule.came = rule.came * left + (hasCome ? 1 : 0)
    if (hasCome) this.#came++
    else this.#missed++
  }

  /** Looks which workflows raise others, as far as that is known by now. */
  #learn(now: number): void {
    this.#learnt = now
    this.#learntOf = this.#beginnings
    const keys = new Set<string>()
    this.#rulesOf = new Map()
    for (const { from, to, probability, lag } of this.#triggers.flatMap(triggers => found(triggers, now))) {
      const key = `${from}\0${to}`
      const own = this.#rulesOf.get(from) ?? []
      // Found within the shorter time already; or so many are more certain.
      if (keys.has(key) || own.length >= RAISED_MOST) continue
      keys.add(key)
      const known = this.#rules.get(key)
      const rule = known ?? { from, to, probability, lag, expected: 0, came: 0 }
      rule.probability = probability
      rule.lag = lag
      this.#rules.set(key, rule)
      this.#rulesOf.set(from, [...own, rule])
    }
    for (const key of this.#rules.keys()) if (!keys.has(key)) this.#rules.delete(key)
  }

  /** The last of the map are those that came last, but for some fractions of a second: to move each that comes is more than all the rest. */
  #meet(workflow: string, time: number): Known {
    const found = this.#known.get(workflow)
    if (found !== undefined) {
      if (time - found.moved < QUIET_MS) return found
      found.moved = time
      this.#known.delete(workflow)
      this.#known.set(workflow, found)
      return found
    }
    const past = Number.NEGATIVE_INFINITY
    const made = { last: past, moved: time, began: past, isForetold: false, asks: new Asks() }
    this.#known.set(workflow, made)
    if (this.#known.size > WORKFLOWS_MOST) this.#known.delete(this.#known.keys().next().value as string)
    return made
  }
}

function found(triggers: Triggers, now: number): Trigger[] {
  triggers.advance(now)
  return triggers.triggers({ inside: false })
}

function trustIn({ expected, came }: Rule): number {
  return (came + TRUST_KNOWN) / (expected + TRUST_KNOWN)
}

/** Whether it may still come. */
function isOpen({ rule, began }: Pending, now: number): boolean {
  return now - began <= latest(rule.lag)
}

const earliest = ({ low }: LagQuantiles) => low / BEYOND
const latest = ({ high }: LagQuantiles) => high * BEYOND

/** The part of lags that are shorter: between the quantiles, in proportion to time. */
function partBefore(lag: LagQuantiles, ms: number): number {
  const times = [earliest(lag), lag.low, lag.median, lag.high, latest(lag)]
  for (let i = 0; i < times.length; i++) {
    const [before, time] = [times[i - 1] ?? 0, times[i] as number]
    if (ms >= time) continue
    const [part, more] = [PARTS[i - 1] ?? 0, PARTS[i] as number]
    return part + ((more - part) * (ms - before)) / (time - before)
  }
  return 1
}

/** The parts of lags that are shorter than each of these. */
const PARTS = [0, 0.1, 0.5, 0.9, 1]
