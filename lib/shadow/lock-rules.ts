import type { ShadowHoldPlan } from '../native/binding.js'
import type { Line, Member, Rules } from './line.js'

/** How a lock grants: the first by key, if it can be; with plans that keep it, the first that none of them keeps back (native/core/gate.cc). */
export class LockRules implements Rules {
  private plans: ShadowHoldPlan[]
  private blockedSince: number | undefined = undefined
  private exclusive = 0
  private sharing = 0

  constructor(
    plans: readonly ShadowHoldPlan[],
    /** ms that they may keep it in all */
    private readonly mayKeep: number
  ) {
    this.plans = [...plans]
  }

  choose(line: Line, now: number): Member | undefined {
    const first = firstOf(line)
    if (first === undefined) return undefined
    if (this.plans.length > 0) this.plans = this.plans.filter(plan => now < plan.until)
    const chosen = this.plans.length === 0 || this.isBlocked(first) ? first : this.firstPast(line, now)
    if (chosen === undefined || !this.isBlocked(chosen)) return chosen
    if (!chosen.steal) return undefined
    line.revoke()
    return chosen
  }

  granted(member: Member): void {
    if (member.shared) this.sharing++
    else this.exclusive++
    this.blockedSince = undefined
    if (this.plans.length > 0)
      this.plans = this.plans.filter(({ tier, whoId }) => member.tier < tier || (whoId !== 0 && whoId !== member.workflow))
  }

  ended(member: Member): void {
    if (member.shared) this.sharing--
    else this.exclusive--
  }

  next(line: Line, now: number): number {
    if (this.plans.length === 0) return Number.POSITIVE_INFINITY
    let next = Number.POSITIVE_INFINITY
    const at = (time: number) => {
      if (time > now && time < next) next = time
    }
    for (const plan of this.plans) {
      at(plan.until)
      if (this.blockedSince !== undefined) at(this.blockedSince + this.mayKeep)
      if (line.ageing > 0) for (const head of line.heads()) at(head.arrival + (plan.tier - head.tier) * line.ageing)
    }
    return next
  }

  /** The plans that keep a request from the lock, which is free. */
  keeping(line: Line, member: Member, now: number): readonly ShadowHoldPlan[] {
    return this.plans.filter(plan => this.keeps(line, member, plan, now))
  }

  private firstPast(line: Line, now: number): Member | undefined {
    for (const head of line.heads().sort((a, b) => line.key(a) - line.key(b))) {
      if (this.keeping(line, head, now).length === 0) return head
      this.blockedSince ??= now
    }
    return undefined
  }

  private keeps(line: Line, member: Member, plan: ShadowHoldPlan, now: number): boolean {
    if (member.tier >= plan.tier || member.steal || now >= plan.until) return false
    if (line.ageing > 0 && now >= member.arrival + (plan.tier - member.tier) * line.ageing) return false
    const hold = member.declared > 0 ? member.declared : plan.hold
    if (hold > 0 && now + hold <= plan.from) return false
    const kept = this.blockedSince === undefined ? 0 : now - this.blockedSince
    return kept < this.mayKeep
  }

  private isBlocked({ shared }: Member): boolean {
    return this.exclusive > 0 || (!shared && this.sharing > 0)
  }
}

/** The first by key. */
function firstOf(line: Line): Member | undefined {
  let first: Member | undefined
  for (const tier of line.tiers) {
    const head = line.head(tier)
    if (head !== undefined && (first === undefined || line.key(head) < line.key(first))) first = head
  }
  return first
}
