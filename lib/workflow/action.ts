import type { HoldLog } from '../shadow/hold-log.js'
import { costOf, type Prices } from './cost.js'
import { DataTally } from './data.js'
import type { Metering } from './metering.js'
import type { ActionRecord, Outcome } from './record.js'
import { Work } from './work.js'

/** An action of a run, while it runs: see {@link Run.action}. */
export class Action extends Work {
  readonly name: string
  /** @internal */
  readonly position: number
  private readonly run: Work
  private readonly certifications: readonly string[]
  private data: DataTally | undefined = undefined

  /** @internal */
  constructor(run: Work, name: string, position: number, certifications: readonly string[], metering: Metering | undefined) {
    super(run.session, run.requestNames, run.tierIndex, run, metering)
    this.run = run
    this.name = name
    this.position = position
    this.certifications = certifications
  }

  /** @internal */
  get runId(): string {
    return this.run.runId
  }

  /** @internal */
  holdLog(): HoldLog {
    return this.run.holdLog()
  }

  /** @internal */
  lookAtHeld(): void {
    this.run.lookAtHeld()
  }

  protected override get actionName(): string | undefined {
    return this.name
  }

  /**
   * Tells of data that were sent or received in one transfer.
   *
   * @throws ArgumentError
   */
  transferred(bytes: number): void {
    this.data ??= new DataTally()
    this.data.add(bytes, this.now())
  }

  /** @internal */
  start<T>(fn: (action: Action) => T): T {
    this.beginMeasuring()
    return this.callWith(fn)
  }

  /** @internal */
  end(runBegan: number, otherwise: Outcome, prices: Prices | undefined): ActionRecord {
    const usage = this.endMeasuring()
    const duration = this.passed(usage)
    this.releaseHeld()
    return {
      name: this.name,
      position: this.position,
      offset: this.began - runBegan,
      duration,
      outcome: this.chosen ?? otherwise,
      usage,
      cost: costOf(prices, usage),
      booked: this.sums(),
      certifications: this.certifications,
      data: this.data?.moved(duration)
    }
  }
}
