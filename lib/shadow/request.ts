import { Kind, type ShadowSnapshot } from '../native/binding.js'
import type { Session } from '../session.js'
import type { ShadowAnswer, ShadowDisplaced, ShadowPlan } from './answer.js'
import { nextId, tell } from './estimates.js'
import { type Foreseen, foresee, type Start, withNewcomers } from './foresee.js'
import { Line, type Member } from './line.js'
import { LockRules } from './lock-rules.js'
import { Look, lookAt, NO_AMOUNTS, tierName } from './look.js'
import type { ShadowAsk } from './options.js'
import { PoolRules } from './pool-rules.js'

/** What became of a request that was looked at, and where. */
interface Facts {
  readonly kind: ShadowAnswer['kind']
  readonly name: string
  readonly look: Look
  readonly refused: boolean
  readonly ahead: readonly Member[]
  readonly displaced: readonly ShadowDisplaced[]
  readonly plans: readonly ShadowPlan[]
}

/**
 * @param place its name in the arena
 * @throws ClosedError, CorruptError, RetiredError, MemoryError
 */
export function lockShadow(session: Session, name: string, ask: ShadowAsk, place: string): ShadowAnswer {
  session.mustBeJoined()
  const snapshot = lookAt(session, place, Kind.Lock, ask)
  const look = new Look(session, snapshot, undefined, 'lock')
  // Those of this environment of whom the arena does not know; looking for them moves none of them.
  if (session.cohorts.active !== 0 && snapshot.index !== undefined) look.add(session.cohorts.at(snapshot.index))
  const own = look.own(ask, NO_AMOUNTS)
  const rules = () => new LockRules(snapshot.plans ?? [], snapshot.mayKeep ?? 0)
  const start = startOf(look, snapshot, rules)
  const foreseen = foresee(start, own)
  const plans = keeping(session, start, own)
  const facts = { kind: 'lock', name, look, refused: false, ahead: foreseen.ahead, displaced: later(look, foreseen), plans } as const
  return answer(session, ask, facts, foreseen)
}

/**
 * @param amounts in the order of the dimensions
 * @param refused it does not have what the request demands
 */
export function poolShadow(
  session: Session,
  name: string,
  ask: ShadowAsk,
  dimensions: readonly string[],
  amounts: readonly number[],
  refused: boolean,
  place: string
): ShadowAnswer {
  session.mustBeJoined()
  const snapshot = lookAt(session, place, Kind.Pool, ask)
  const look = new Look(session, snapshot, dimensions, 'pool')
  const own = look.own(ask, amounts)
  const { pool } = snapshot
  const facts = { kind: 'pool', name, look, ahead: [], displaced: [], plans: [] } as const
  if (refused || pool === undefined || !new PoolRules(pool).isPossible(own)) return answer(session, ask, { ...facts, refused: true }, NEVER)
  const start = startOf(look, snapshot, () => new PoolRules(pool))
  const foreseen = foresee(start, own)
  const displaced = [...later(look, foreseen), ...recalls(look, start, own)]
  return answer(session, ask, { ...facts, refused: false, ahead: foreseen.ahead, displaced }, foreseen)
}

/** Of a bucket, where nothing is a matter of chance: the addon tells when the tokens will be there (native/core/shadow.cc). */
export function bucketShadow(session: Session, name: string, ask: ShadowAsk, tokens: number, place: string): ShadowAnswer {
  session.mustBeJoined()
  const snapshot = lookAt(session, place, Kind.Bucket, ask, tokens)
  const look = new Look(session, snapshot, undefined, 'bucket')
  const found = snapshot.tokens
  const facts = { kind: 'bucket', name, look, plans: [] } as const
  if (found === undefined || !found.possible) return answer(session, ask, { ...facts, refused: true, ahead: [], displaced: [] }, NEVER)
  const wait = Math.max(0, found.ready - ask.in)
  const ahead: Member[] = []
  const displaced: ShadowDisplaced[] = []
  for (let at = 0; at + 4 < found.waiters.length; at += 5) {
    const [tier, place, isAhead, without, with_] = found.waiters.slice(at, at + 5) as [number, number, number, number, number]
    const member = look.waiters[tier]?.[place]
    if (member === undefined) continue
    if (isAhead === 1) ahead.push(member)
    else if (with_ > without) {
      displaced.push({ ...look.party(member), how: 'later', laterMs: Number.isFinite(with_) ? with_ - without : undefined })
    }
  }
  const foreseen = { contention: wait > 0 ? 1 : 0, p50: wait, p95: wait }
  return answer(session, ask, { ...facts, refused: wait > ask.timeout, ahead, displaced }, foreseen)
}

const NEVER = { contention: 1, p50: undefined, p95: undefined }

function answer(session: Session, ask: ShadowAsk, facts: Facts, foreseen: Pick<Foreseen, 'contention' | 'p50' | 'p95'>): ShadowAnswer {
  const { kind, name, look, ahead, displaced, plans } = facts
  const { snapshot } = look
  const { p50, p95 } = foreseen
  const contention = facts.refused ? 1 : withNewcomers(foreseen.contention, ask.in, look.times, snapshot.tier)
  const waits = contention >= 0.5
  const given: ShadowAnswer = {
    id: nextId(session),
    kind,
    name,
    tier: tierName(session, snapshot.tier),
    verdict: facts.refused || (waits && ask.timeout === 0) ? 'refuse' : waits ? 'wait' : 'grant',
    contention,
    wait: { p50, p95 },
    ahead: ahead.map(member => look.waiter(member)),
    holders: look.holders.map(member => look.holder(member)),
    displaced,
    plans,
    consistent: snapshot.consistent ?? true
  }
  tell(session, given, ask.in)
  return given
}

function startOf(look: Look, { ageing }: ShadowSnapshot, rules: Start['rules']): Start {
  return { ageing, waiters: look.waiters, holders: look.holders, rules }
}

function later(look: Look, { later }: Foreseen): ShadowDisplaced[] {
  return [...later].map(([member, laterMs]) => ({ ...look.party(member), how: 'later', laterMs }))
}

/** Those that a plan asks to give back for this request, and would not otherwise. */
function recalls(look: Look, start: Start, own: Member): ShadowDisplaced[] {
  const recalled = (waiters: readonly (readonly Member[])[]) => {
    const rules = start.rules() as PoolRules
    const line = new Line(rules, start.ageing, waiters, start.holders, () => 0.5)
    line.run(undefined, false, Number.POSITIVE_INFINITY)
    return rules.recalled(line)
  }
  const before = new Set(recalled(start.waiters))
  const joined = start.waiters.map((list, tier) => (tier === own.tier ? [...list, own] : list))
  return recalled(joined)
    .filter(member => !before.has(member) && look.holders.includes(member))
    .map(member => ({ ...look.party(member), how: 'recalled', laterMs: undefined }))
}

/** The plans that keep the lock from the request where it is free. */
function keeping(session: Session, start: Start, own: Member): ShadowPlan[] {
  const rules = start.rules() as LockRules
  const line = new Line(rules, start.ageing, [], start.holders, () => 0.5)
  return rules.keeping(line, own, own.arrival).map(({ tier, who, source, until }) => {
    return { kind: 'hold', tier: tierName(session, tier), workflow: who, source, until }
  })
}
