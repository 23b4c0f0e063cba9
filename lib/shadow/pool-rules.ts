import { DIMENSIONS, type ShadowPool } from '../native/binding.js'
import type { Line, Member, Rules } from './line.js'

const TIERS = 4

/** How a pool grants (native/core/gate.cc, choose_units, and native/core/pool.cc). */
export class PoolRules implements Rules {
  private readonly used = zeros()
  private readonly byTier = Array.from({ length: TIERS }, zeros)
  private readonly byTenant = new Map<number, number[]>()
  private readonly weights = new Map<number, number>()
  private readonly tenants = new Map<number, { members: number; count: number }>()

  constructor(private readonly pool: ShadowPool) {
    for (let at = 0; at + 1 < pool.weights.length; at += 2) this.weights.set(pool.weights[at] as number, pool.weights[at + 1] as number)
  }

  choose(line: Line, now: number): Member | undefined {
    for (;;) {
      const heads = line.heads()
      const chosen = this.chooseOf(line, heads, now)
      if (chosen !== undefined) return chosen
      const impossible = heads.find(head => !this.isPossible(head))
      if (impossible === undefined) return undefined
      line.remove(impossible)
    }
  }

  granted(member: Member): void {
    this.add(member, 1)
  }

  ended(member: Member): void {
    this.add(member, -1)
  }

  /** When the first of a tier has outlived all others, or has aged past a plan that keeps units from it. */
  next(line: Line, now: number): number {
    let next = Number.POSITIVE_INFINITY
    if (line.ageing === 0) return next
    for (const { tier, arrival } of line.heads()) {
      for (let higher = tier + 1; higher <= TIERS; higher++) {
        if (higher < TIERS && !this.keeps(higher)) continue
        const at = arrival + (higher - tier) * line.ageing
        if (at > now && at < next) next = at
      }
    }
    return next
  }

  /** Whether it could be granted if nothing else was held. */
  isPossible({ tier, amounts }: Pick<Member, 'tier' | 'amounts'>): boolean {
    return amounts.every((amount, d) => {
      const capacity = this.pool.capacity[d] as number
      if (amount === 0) return true
      if (d >= this.pool.dimensions) return false
      if (capacity === 0) return true
      let kept = 0
      for (let t = 0; t < TIERS; t++) if (t !== tier) kept += this.floor(t, d)
      return amount + kept <= capacity && amount <= this.ceiling(tier, d)
    })
  }

  /** Whom a plan asks to give back for the first that waits now, latest grant first. */
  recalled(line: Line): Member[] {
    const [first] = this.inOrder(line, line.heads())
    if (first === undefined || !this.isEntitled(first) || ((this.pool.planned >> first.tier) & 1) === 0) return []
    const coming = zeros()
    const recalled: Member[] = []
    for (const { member } of line.holders) {
      if (
        first.amounts.every(
          (amount, d) => amount === 0 || this.fitsOf(first.tier, d, amount, Math.max(0, this.usedOf(d) - (coming[d] ?? 0)))
        )
      )
        break
      if (!member.revocable || member.tier >= first.tier || !this.isBeyond(member.tier)) continue
      for (let d = 0; d < DIMENSIONS; d++) coming[d] = (coming[d] as number) + (member.amounts[d] as number)
      recalled.push(member)
    }
    return recalled
  }

  private chooseOf(line: Line, heads: readonly Member[], now: number): Member | undefined {
    let aged: Member | undefined
    for (const head of heads) if (this.hasOutlived(line, head, now) && (aged === undefined || head.arrival < aged.arrival)) aged = head
    if (aged !== undefined && this.fits(line, aged, now)) return aged
    for (const head of this.inOrder(line, heads)) {
      const chosen = this.chooseOfTier(line, head.tier, aged, now)
      if (chosen !== undefined) return chosen
    }
    return undefined
  }

  /** Tiers within their part first, then by key. */
  private inOrder(line: Line, heads: readonly Member[]): Member[] {
    const entitled = new Map(heads.map(head => [head, this.isEntitled(head)]))
    return [...heads].sort((a, b) => Number(entitled.get(b)) - Number(entitled.get(a)) || line.key(a) - line.key(b))
  }

  private chooseOfTier(line: Line, tier: number, aged: Member | undefined, now: number): Member | undefined {
    const may = (member: Member) => this.fits(line, member, now) && (aged === undefined || member === aged || this.mayPass(aged, member))
    const seen = new Set<number>()
    const all = this.tenantsOf(line, tier)
    let best: Member | undefined
    let least = 0
    for (let place = 0, count = line.count(tier); place < count && seen.size < all; place++) {
      const member = line.at(tier, place)
      line.work++
      if (seen.has(member.tenant) || member.until <= now) continue
      seen.add(member.tenant)
      const share = this.dominantShare(member.tenant)
      if ((best === undefined || share < least) && may(member)) {
        best = member
        least = share
      }
    }
    return best
  }

  /** How many wait in a tier, or did at the beginning. */
  private tenantsOf(line: Line, tier: number): number {
    const members = line.count(tier)
    const known = this.tenants.get(tier)
    if (known !== undefined && members <= known.members) return known.count
    const all = new Set<number>()
    for (let place = 0; place < members; place++) all.add(line.at(tier, place).tenant)
    this.tenants.set(tier, { members, count: all.size })
    line.work += members
    return all.size
  }

  private hasOutlived({ ageing }: Line, { tier, arrival }: Member, now: number): boolean {
    return ageing > 0 && now >= arrival && Math.floor((now - arrival) / ageing) >= TIERS - tier
  }

  private fits(line: Line, member: Member, now: number): boolean {
    const { tier, amounts } = member
    const part = this.keptByPlans(line, member, now)
    return amounts.every((amount, d) => amount === 0 || this.fitsOf(tier, d, amount, this.usedOf(d) + this.unitsOf(part, d)))
  }

  private keeps(tier: number): boolean {
    return (this.pool.keeps[tier] as number) > 0
  }

  /** The part of each dimension that plans keep from it; not from who has aged into their tier. */
  private keptByPlans({ ageing }: Line, { tier, arrival }: Member, now: number): number {
    let part = 0
    for (let higher = tier + 1; higher < TIERS; higher++) {
      if (ageing === 0 || now < arrival + (higher - tier) * ageing) part += this.pool.keeps[higher] as number
    }
    return Math.min(part, this.pool.maxReserve)
  }

  /** As Pool::units_kept. */
  private unitsOf(part: number, d: number): number {
    return part === 0 ? 0 : Math.floor(part * (this.pool.capacity[d] as number) + 1e-6)
  }

  private fitsOf(tier: number, d: number, amount: number, used: number): boolean {
    if (d >= this.pool.dimensions || used + amount + this.keptFrom(tier, d) > (this.pool.capacity[d] as number)) return false
    return this.usedBy(tier, d) + amount <= this.ceiling(tier, d)
  }

  /** Whether `later` may go although `aged` waits: where it takes of what that wants, enough is left. */
  private mayPass(aged: Member, later: Member): boolean {
    const same = aged.tier === later.tier
    return later.amounts.every((amount, d) => {
      const wanted = aged.amounts[d] as number
      if (amount === 0 || wanted === 0) return true
      const own = same ? 0 : Math.min(amount, this.floorLeft(later.tier, d))
      const both = this.usedOf(d) + wanted + this.keptFrom(aged.tier, d) + amount - own
      if (amount !== own && both > (this.pool.capacity[d] as number)) return false
      return !same || this.usedBy(aged.tier, d) + wanted + amount <= this.ceiling(aged.tier, d)
    })
  }

  private isEntitled({ tier, amounts }: Member): boolean {
    const wanted = amounts.map((amount, d) => amount > 0 && d < this.pool.dimensions)
    return wanted.some(Boolean) && amounts.every((amount, d) => !wanted[d] || this.usedBy(tier, d) + amount <= this.part(tier, d))
  }

  private isBeyond(tier: number): boolean {
    for (let d = 0; d < this.pool.dimensions; d++) if (this.usedBy(tier, d) > this.part(tier, d)) return true
    return false
  }

  private dominantShare(tenant: number): number {
    const used = this.byTenant.get(tenant)
    if (used === undefined) return 0
    let share = 0
    for (let d = 0; d < this.pool.dimensions; d++) {
      const capacity = this.pool.capacity[d] as number
      if (capacity > 0) share = Math.max(share, (used[d] as number) / capacity)
    }
    return share / (this.weights.get(tenant) ?? 1)
  }

  private add({ tier, tenant, amounts }: Member, sign: 1 | -1): void {
    const of = this.byTenant.get(tenant) ?? zeros()
    this.byTenant.set(tenant, of)
    amounts.forEach((amount, d) => {
      for (const sums of [this.used, this.byTier[tier] as number[], of]) sums[d] = (sums[d] as number) + sign * amount
    })
  }

  private keptFrom(tier: number, d: number): number {
    let kept = 0
    for (let t = 0; t < TIERS; t++) if (t !== tier) kept += this.floorLeft(t, d)
    return kept
  }

  private floorLeft(tier: number, d: number): number {
    return Math.max(0, this.floor(tier, d) - this.usedBy(tier, d))
  }

  private usedOf(d: number): number {
    return this.used[d] as number
  }
  private usedBy(tier: number, d: number): number {
    return this.byTier[tier]?.[d] ?? 0
  }
  private floor(tier: number, d: number): number {
    return this.pool.floors[tier * DIMENSIONS + d] as number
  }
  private part(tier: number, d: number): number {
    return this.pool.parts[tier * DIMENSIONS + d] as number
  }
  private ceiling(tier: number, d: number): number {
    return this.pool.ceilings[tier * DIMENSIONS + d] as number
  }
}

function zeros(): number[] {
  return new Array<number>(DIMENSIONS).fill(0)
}
