import { CorruptError } from '../errors/index.js'
import { At, DIMENSIONS, type Kind, type ShadowPartySnapshot, type ShadowSnapshot, Time } from '../native/binding.js'
import { fromNative } from '../native/codes.js'
import type { Mate } from '../native/cohorts.js'
import type { Session } from '../session.js'
import { NS_PER_MS } from '../units.js'
import type { Basis, ShadowHolder, ShadowParty, ShadowWaiter } from './answer.js'
import { HoldTimes } from './hold-times.js'
import type { Member } from './line.js'
import type { ShadowAsk } from './options.js'

/** One look at an element, and those seen there, as courses of events and answers want them. */
export class Look {
  readonly times: HoldTimes
  readonly holders: readonly Member[]
  /** by tier, in their order */
  readonly waiters: Member[][]
  private readonly seen = new Map<Member, ShadowPartySnapshot>()

  constructor(
    private readonly session: Session,
    readonly snapshot: ShadowSnapshot,
    /** names of the dimensions, of a pool */
    private readonly dimensions: readonly string[] | undefined,
    private readonly isLock: boolean
  ) {
    this.times = new HoldTimes(snapshot)
    this.holders = (snapshot.holders ?? []).map(party => this.member(party))
    this.waiters = Array.from({ length: TIERS }, (_, tier) => (snapshot.waiters?.[tier] ?? []).map(party => this.member(party)))
  }

  /** Those who wait behind a grant of this very environment, where the arena does not know of them. */
  add(mates: readonly Mate[]): void {
    const now = this.session.binding.now()
    const { client } = this.session.binding
    for (const { tierIndex: tier, arrival, names } of mates) {
      const party: ShadowPartySnapshot = {
        ...NOBODY_KNOWN,
        tier,
        client,
        since: (arrival - now) / NS_PER_MS,
        hold: names?.hold ?? 0,
        workflowId: names?.workflow ?? 0,
        ...(names?.words.workflow !== undefined && { workflow: names.words.workflow })
      }
      const list = this.waiters[tier] as Member[]
      const behind = list.findIndex(other => !other.steal && other.arrival > party.since)
      list.splice(behind < 0 ? list.length : behind, 0, this.member(party))
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
    const party = this.seen.get(member) as ShadowPartySnapshot
    const { client, pid, tid, tier, workflow, tenant, shared, amounts, tokens } = party
    return {
      client,
      pid,
      tid,
      tier: tierName(this.session, tier),
      workflow,
      tenant,
      mode: this.isLock ? (shared ? 'shared' : 'exclusive') : undefined,
      amounts: this.dimensions === undefined || amounts === undefined ? undefined : byName(this.dimensions, amounts),
      tokens
    }
  }

  waiter(member: Member): ShadowWaiter {
    const { since, until } = this.seen.get(member) as ShadowPartySnapshot
    return { ...this.party(member), ageMs: Math.max(0, -since), timeoutMs: until === undefined ? undefined : Math.max(0, until) }
  }

  holder(member: Member): ShadowHolder {
    const { since, until, recalled } = this.seen.get(member) as ShadowPartySnapshot
    const ageMs = Math.max(0, -since)
    const ttlMs = until === undefined ? undefined : Math.max(0, until)
    const left = (u: number) => member.hold.left(ageMs, u)
    const [p50, p95] = [left(0.5), left(0.95)]
    const known = p50 !== undefined && p95 !== undefined
    const most = ttlMs ?? Number.POSITIVE_INFINITY
    const remaining = known ? { p50: Math.min(p50, most), p95: Math.min(p95, most) } : undefined
    const basis: Basis | undefined = known ? member.hold.basis : undefined
    return { ...this.party(member), ageMs, remaining, basis, ttlMs, recalled }
  }

  private member(party: ShadowPartySnapshot): Member {
    const member = {
      tier: party.tier,
      arrival: party.since,
      until: party.until ?? Number.POSITIVE_INFINITY,
      ttl: party.ttl > 0 ? party.ttl : Number.POSITIVE_INFINITY,
      hold: this.times.ofParty(party),
      shared: party.shared,
      steal: party.steal,
      workflow: party.workflowId,
      tenant: party.tenantId,
      revocable: party.revocable,
      amounts: party.amounts ?? NO_AMOUNTS,
      declared: party.hold
    }
    this.seen.set(member, party)
    return member
  }
}

const TIERS = 4
export const NO_AMOUNTS: readonly number[] = new Array<number>(DIMENSIONS).fill(0)
const NOBODY_KNOWN: ShadowPartySnapshot = {
  tier: 0,
  since: 0,
  exact: true,
  ttl: 0,
  hold: 0,
  shared: false,
  steal: false,
  revocable: false,
  recalled: false,
  tenantId: 0,
  workflowId: 0
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
