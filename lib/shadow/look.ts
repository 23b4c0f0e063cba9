import { CorruptError } from '../errors/index.js'
import { At, DIMENSIONS, type Kind, ShadowField, ShadowFlag, type ShadowSnapshot, Time } from '../native/binding.js'
import { fromNative } from '../native/codes.js'
import type { Mate } from '../native/cohorts.js'
import type { Session } from '../session.js'
import { NS_PER_MS } from '../units.js'
import type { Basis, ShadowAnswer, ShadowHolder, ShadowParty, ShadowWaiter } from './answer.js'
import { HoldTimes } from './hold-times.js'
import type { Member } from './line.js'
import type { ShadowAsk } from './options.js'

/** One that holds or waits, with what only answers tell. */
interface Party extends Member {
  /** `pid:participant:incarnation`, by its numbers; undefined: nobody any more */
  readonly pid: number | undefined
  readonly tid: number | undefined
  readonly participant: number
  readonly incarnation: number
  readonly tokens: number
  readonly recalled: boolean
  /** of its request, or of its grant, ms from now */
  readonly since: number
}

/** One look at an element, and those seen there, as courses of events and answers want them. */
export class Look {
  readonly times: HoldTimes
  readonly holders: readonly Member[]
  /** by tier, in their order */
  readonly waiters: Member[][]
  private readonly names = new Map<number, string>()

  constructor(
    private readonly session: Session,
    readonly snapshot: ShadowSnapshot,
    /** names of the dimensions, of a pool */
    private readonly dimensions: readonly string[] | undefined,
    private readonly kind: ShadowAnswer['kind']
  ) {
    this.times = new HoldTimes(snapshot)
    for (const { id, name } of snapshot.names ?? []) if (name !== undefined) this.names.set(id, name)
    this.holders = this.parties(snapshot.holders)
    this.waiters = Array.from({ length: TIERS }, (_, tier) => this.parties(snapshot.waiters?.[tier]))
  }

  /** Those who wait behind a grant of this very environment, where the arena does not know of them. */
  add(mates: readonly Mate[]): void {
    const now = this.session.binding.now()
    const [pid = 0, participant = 0, incarnation = 0] = this.session.binding.client.split(':').map(Number)
    for (const { tierIndex: tier, arrival, names } of mates) {
      const since = (arrival - now) / NS_PER_MS
      const [hold, workflow] = [names?.hold ?? 0, names?.workflow ?? 0]
      if (names?.words.workflow !== undefined) this.names.set(workflow, names.words.workflow)
      // One literal, of the shape that all others have: as a copy of another object 2,000 of them took a third of the CPU of a first look.
      insert(this.waiters[tier] as Member[], {
        tier,
        arrival: since,
        until: Number.POSITIVE_INFINITY,
        ttl: Number.POSITIVE_INFINITY,
        hold: this.times.of(tier, hold),
        shared: false,
        steal: false,
        workflow,
        tenant: 0,
        revocable: false,
        amounts: NO_AMOUNTS,
        declared: hold,
        pid,
        tid: undefined,
        participant,
        incarnation,
        tokens: 0,
        recalled: false,
        since
      })
    }
  }

  /** The request itself. */
  own(ask: ShadowAsk, amounts: readonly number[]): Member {
    const { tier } = this.snapshot
    return {
      tier,
      arrival: ask.in,
      until: Number.POSITIVE_INFINITY,
      ttl: ask.ttl,
      hold: this.times.of(tier, ask.hold),
      shared: ask.shared,
      steal: false,
      workflow: ask.workflow,
      tenant: ask.tenant,
      revocable: false,
      amounts,
      declared: ask.hold
    }
  }

  party(member: Member): ShadowParty {
    const { pid, tid, participant, incarnation, tokens, tier, workflow, tenant, shared, amounts } = member as Party
    return {
      client: pid === undefined ? undefined : `${pid}:${participant}:${incarnation}`,
      pid,
      tid,
      tier: tierName(this.session, tier),
      workflow: this.names.get(workflow),
      tenant: this.names.get(tenant),
      mode: this.kind === 'lock' ? (shared ? 'shared' : 'exclusive') : undefined,
      amounts: this.dimensions === undefined ? undefined : byName(this.dimensions, amounts),
      tokens: this.kind === 'bucket' ? tokens : undefined
    }
  }

  waiter(member: Member): ShadowWaiter {
    const { since, until } = member as Party
    // Added to what is there: there may be thousands, and a copy of each would cost more than it.
    const waiter = this.party(member) as { -readonly [K in keyof ShadowWaiter]: ShadowWaiter[K] }
    waiter.ageMs = Math.max(0, -since)
    waiter.timeoutMs = until === Number.POSITIVE_INFINITY ? undefined : Math.max(0, until)
    return waiter
  }

  holder(member: Member): ShadowHolder {
    const { since, until, recalled } = member as Party
    const ageMs = Math.max(0, -since)
    const ttlMs = until === Number.POSITIVE_INFINITY ? undefined : Math.max(0, until)
    const left = (u: number) => member.hold.left(ageMs, u)
    const [p50, p95] = [left(0.5), left(0.95)]
    const known = p50 !== undefined && p95 !== undefined
    const most = ttlMs ?? Number.POSITIVE_INFINITY
    const remaining = known ? { p50: Math.min(p50, most), p95: Math.min(p95, most) } : undefined
    const basis: Basis | undefined = known ? member.hold.basis : undefined
    return { ...this.party(member), ageMs, remaining, basis, ttlMs, recalled }
  }

  private parties(numbers: Float64Array | undefined): Party[] {
    const found: Party[] = []
    if (numbers === undefined) return found
    const amounts = this.dimensions !== undefined
    for (let from = 0; from < numbers.length; from += FIELDS) {
      const field = (at: ShadowField) => numbers[from + at] as number
      const flags = field(ShadowField.Flags)
      const [tier, since, ttl, hold] = [field(ShadowField.Tier), field(ShadowField.Since), field(ShadowField.Ttl), field(ShadowField.Hold)]
      const somebody = field(ShadowField.Participant) !== 0
      found.push({
        tier,
        arrival: since,
        until: field(ShadowField.Until),
        ttl: ttl > 0 ? ttl : Number.POSITIVE_INFINITY,
        hold: this.times.of(tier, hold),
        shared: (flags & ShadowFlag.Shared) !== 0,
        steal: (flags & ShadowFlag.Steal) !== 0,
        workflow: field(ShadowField.Workflow),
        tenant: field(ShadowField.Tenant),
        revocable: (flags & ShadowFlag.Revocable) !== 0,
        amounts: amounts ? Array.from(numbers.subarray(from + ShadowField.Amounts, from + FIELDS)) : NO_AMOUNTS,
        declared: hold,
        pid: somebody ? field(ShadowField.Pid) : undefined,
        tid: somebody ? field(ShadowField.Tid) : undefined,
        participant: field(ShadowField.Participant),
        incarnation: field(ShadowField.Incarnation),
        tokens: field(ShadowField.Tokens),
        recalled: (flags & ShadowFlag.Recalled) !== 0,
        since
      })
    }
    return found
  }
}

const TIERS = 4
const FIELDS = ShadowField.Amounts + DIMENSIONS
export const NO_AMOUNTS: readonly number[] = new Array<number>(DIMENSIONS).fill(0)
/** By arrival, and behind those that steal: mostly at the end, so that is where the search begins. */
function insert(list: Member[], member: Party): void {
  let at = list.length
  while (at > 0 && !(list[at - 1] as Member).steal && (list[at - 1] as Member).arrival > member.arrival) at--
  if (at === list.length) list.push(member)
  else list.splice(at, 0, member)
}

/** Reads the arena; nothing of it changes. */
export function lookAt(session: Session, name: string, kind: Kind, ask: ShadowAsk, tokens = 0): ShadowSnapshot {
  const { binding, scratch, times } = session
  scratch[At.Tier] = ask.tier
  scratch[At.Workflow] = ask.workflow
  scratch[At.Tenant] = ask.tenant
  times[Time.Amounts] = tokens
  times[Time.Timeout] = ask.in
  let found: ShadowSnapshot | number | undefined
  try {
    found = binding.shadow(name, kind)
  } catch (error) {
    throw fromNative(error, name)
  }
  if (typeof found === 'number') throw session.failure(found, name)
  if (found === undefined) throw new CorruptError('the addon refused to look, which no version of forelock does', {})
  return found
}

export function tierName({ tiers }: Session, tier: number): string {
  return tiers[tier] ?? `tier ${tier}`
}

function byName(names: readonly string[], amounts: readonly number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, d) => [name, amounts[d] ?? 0]))
}
