import type { Usage } from '../metering/counters.js'
import type { HoldLog } from '../shadow/hold-log.js'
import { DataTally } from './data.js'
import type { ActionRecord, Outcome } from './record.js'
import { Work } from './work.js'

/** An action of a run, while it runs: see {@link Run.action}. */
export class Action extends Work {
  readonly name: string
  /** @internal */
  readonly position: number
  private readonly run: Work
  /** @internal ms */
  readonly began: number
  private readonly clock: () => number
  private data: DataTally | undefined = undefined

  /**
   * @internal
   * @param clock ms
   */
  constructor(run: Work, name: string, position: number, clock: () => number) {
    super(run.session, run.requestNames, run.tierIndex, run)
    this.run = run
    this.name = name
    this.position = position
    this.clock = clock
    this.began = clock()
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
    this.data.add(bytes, this.clock())
  }

  /** @internal */
  end(
    runBegan: number,
    otherwise: Outcome,
    usage: Partial<Usage>,
    cost: (usage: Partial<Usage>) => number | undefined,
    certifications: readonly string[]
  ): ActionRecord {
    const duration = this.clock() - this.began
    this.releaseHeld()
    return {
      name: this.name,
      position: this.position,
      offset: this.began - runBegan,
      duration,
      outcome: this.chosen ?? otherwise,
      usage,
      cost: cost(usage),
      booked: this.sums(),
      certifications,
      data: this.data?.moved(duration)
    }
  }
}
