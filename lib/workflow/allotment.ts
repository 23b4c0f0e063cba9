import { type Allocation, type GrowOptions, readAmounts } from '../allocation.js'
import { ClosedError, ExceedsError, isForelockError, UnderAllocatedError } from '../errors/index.js'
import type { AmountsByName } from '../pool-terms.js'
import type { UsageAmounts } from '../predict/usage.js'
import type { UsageInput } from '../predict/usage-input.js'
import type { SizedRecord } from './record.js'
import type { Sizing } from './sizing.js'

const MS_PER_S = 1_000

/** What one try of a run holds of the pool that its workflow learns the need of. */
export class Allotment {
  private allocation: Allocation | undefined
  /** what it is known to have used so far, by what it says, and as measured; NaN: not known */
  private readonly said: number[]
  private measured: number[]
  private error: UnderAllocatedError | undefined
  /** unit ms that it held until `since` */
  private readonly held: number[]
  private since = 0
  private paused = false
  /** who asks for more while it pauses */
  private readonly waiting: (() => void)[] = []
  /** that there were when its size was said */
  private readonly lessons: number

  /**
   * @param amounts what it asks for
   * @param tries which try it is, from 1 on
   */
  constructor(
    private readonly sizing: Sizing,
    private readonly input: UsageInput,
    readonly tenant: string | undefined,
    public amounts: readonly number[],
    private readonly tries: number
  ) {
    this.said = amounts.map(() => Number.NaN)
    this.measured = this.said
    this.held = amounts.map(() => 0)
    this.lessons = sizing.lessonsSofar
  }

  /** It was admitted. Of what was learnt while it waited it makes use at once. */
  begin(allocation: Allocation, now: number): void {
    this.allocation = allocation
    this.since = now
    if (this.tries === 1 && this.sizing.lessonsSofar !== this.lessons) this.resize(this.sizing.size(this.input), now)
  }

  /** What it holds now. */
  get granted(): AmountsByName {
    return this.sizing.byName(this.amounts)
  }

  /** It has given back what it holds, and asks for it again when it goes on. */
  pause(now: number): void {
    this.paused = true
    this.account(now)
  }

  goOn(now: number): void {
    this.paused = false
    this.account(now)
    for (const resume of this.waiting.splice(0)) resume()
  }

  /** The work says what it uses; true: it has that much. @throws ArgumentError */
  uses(amounts: unknown, now: number): boolean {
    this.note(amounts)
    this.adjust(now)
    return this.suffices()
  }

  /** It was measured. */
  saw(measured: UsageAmounts, now: number): void {
    this.measured = this.sizing.names.map(name => measured[name] ?? Number.NaN)
    try {
      this.adjust(now)
    } catch (error) {
      // Nothing is thrown from a timer: what is wrong with the arena, the end of the run meets too.
      if (!isForelockError(error)) throw error
    }
  }

  /** Waits until it has that much. @throws ArgumentError, and as {@link Allocation.resize} */
  async needs(amounts: unknown, options: GrowOptions | undefined, now: () => number): Promise<void> {
    this.note(amounts)
    const { allocation } = this
    // It has nothing until it goes on, and then what it had.
    if (this.paused) await new Promise<void>(resolve => this.waiting.push(resolve))
    if (allocation === undefined || this.suffices()) return
    const wanted = this.amounts.map((amount, d) => Math.max(amount, this.said[d] || 0))
    await allocation.resize(this.sizing.byName(wanted), options)
    this.account(now())
  }

  /** For the work to throw: it wants more than it has. @throws ArgumentError */
  exceeded(amounts: unknown): UnderAllocatedError {
    if (amounts !== undefined) this.note(amounts)
    const { pool, workflow } = this.sizing
    this.error = new UnderAllocatedError(
      `a run of ${JSON.stringify(workflow)} needs more than the ${JSON.stringify(this.granted)} of ${JSON.stringify(pool.name)} that it was granted`,
      { resource: pool.name, workflow, granted: this.granted, used: known(this.sizing.names, this.said) }
    )
    return this.error
  }

  /** What it is to be granted when it is tried again; undefined: that is not what it failed by, or there is no more. */
  retry(error: unknown): readonly number[] | undefined {
    if (error !== this.error || this.error === undefined || this.tries >= this.sizing.tries) return undefined
    return this.sizing.more(this.amounts.map((amount, d) => Math.max(amount, (this.said[d] as number) / 2 || 0)))
  }

  /** It is over. @param isDone it was done, and is learnt from */
  end(took: UsageAmounts, now: number, duration: number, isDone: boolean): SizedRecord {
    const { sizing } = this
    this.account(now)
    const used = sizing.names.map((name, d) => (Number.isNaN(this.said[d]) ? (took[name] ?? Number.NaN) : (this.said[d] as number)))
    const isShort = this.error !== undefined || used.some((amount, d) => amount > (this.amounts[d] as number))
    const seconds = duration / MS_PER_S
    sizing.tried(
      isShort,
      this.held.map(amount => amount / MS_PER_S),
      isDone ? used.map(amount => amount * seconds) : undefined
    )
    if (isDone) sizing.learn({ tenant: this.tenant, input: this.input, used })
    return { pool: sizing.pool.name, granted: this.granted, used: known(sizing.names, used), tries: this.tries }
  }

  /**
   * Holds what is predicted now, by what others of its kind have taken since it began; but no less than it has used so far, and twice as much where it
   * uses more than it has. What nothing is known of stays, and so does what a run was granted that had too little before.
   */
  private adjust(now: number): void {
    const { allocation } = this
    if (allocation === undefined || allocation.ended || this.paused || !this.sizing.session.joined) return
    const sofar = this.sofar()
    const predicted = this.sizing.size(this.input)
    const twice = this.sizing.more(this.amounts) ?? this.amounts
    const wanted = this.amounts.map((amount, d) => {
      const used = sofar[d] as number
      if (Number.isNaN(used)) return amount
      if (used > amount) return Math.max(twice[d] as number, predicted[d] as number)
      return this.tries > 1 ? amount : Math.max(predicted[d] as number, Math.ceil(used))
    })
    this.resize(wanted, now)
  }

  /** At once: what is not there does not come this way. */
  private resize(wanted: readonly number[], now: number): void {
    const { allocation } = this
    if (allocation === undefined || allocation.ended || wanted.every((amount, d) => amount === this.amounts[d])) return
    try {
      allocation.tryResize(this.sizing.byName(wanted))
    } catch (error) {
      // It has what it has: the pool was made smaller, or the governor closes.
      if (!(error instanceof ExceedsError || error instanceof ClosedError)) throw error
      this.sizing.lookAgain()
    }
    this.account(now)
  }

  private account(now: number): void {
    const { allocation } = this
    const passed = Math.max(0, now - this.since)
    for (const [d, amount] of this.amounts.entries()) this.held[d] = (this.held[d] as number) + amount * passed
    this.since = now
    if (allocation === undefined || allocation.ended) return
    const { amounts } = allocation
    this.amounts = this.sizing.names.map(name => amounts[name] as number)
  }

  private suffices(): boolean {
    return this.said.every((amount, d) => !(amount > (this.amounts[d] as number)))
  }

  private sofar(): number[] {
    return this.said.map((amount, d) => (Number.isNaN(amount) ? (this.measured[d] as number) : amount))
  }

  /** The most that it said. */
  private note(amounts: unknown): void {
    for (const [d, amount] of readAmounts(this.sizing.names, amounts).entries()) {
      if (amount !== undefined) this.said[d] = Math.max(amount, this.said[d] || 0)
    }
  }
}

function known(names: readonly string[], amounts: readonly number[]): Record<string, number> {
  return Object.fromEntries(names.flatMap((name, d) => (Number.isNaN(amounts[d]) ? [] : [[name, amounts[d] as number]])))
}
