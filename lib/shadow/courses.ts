import { Course, type HeldSpan, type PastRun } from './course.js'

/** How many of the last runs are remembered. */
const RUNS_MAX = 256
/** How many actions of theirs together, which bounds the memory; the last run is remembered whatever it has. */
const ACTIONS_MAX = 16_384

/** When there are enough, runs that end closer together than this are one. */
const APART_MS = 1
const NOTHING = { tenant: undefined, duration: 0, usage: {}, actions: [] }

/** How the last runs of a workflow went, whatever came of them: those that failed tell where runs fail. */
export class Courses {
  // Each run adds to these and few ask, so they are made into courses when somebody does.
  private runs: PastRun[] = []
  private holds: (readonly HeldSpan[])[] = []
  private made: (Course | undefined)[] = []
  private first = 0
  private actions = 0
  private last = Number.NEGATIVE_INFINITY

  /** @param otherwise what is said of its runs beforehand, which stands for all of them until there are any */
  constructor(private readonly otherwise?: PastRun) {}

  /** The oldest first. */
  get all(): readonly Course[] {
    const { runs, holds, first, otherwise } = this
    if (runs.length === first) return otherwise === undefined ? [] : [new Course(otherwise, [])]
    return runs.slice(first).map((run, i) => {
      const course = this.made[first + i] ?? new Course(run, holds[first + i] as readonly HeldSpan[])
      this.made[first + i] = course
      return course
    })
  }

  /** @param ended ms */
  add(run: PastRun, holds: readonly HeldSpan[], ended: number): void {
    // What is remembered outlives the young generation, which would cost a short run a twentieth; and the last ms tells little of what is usual.
    if (this.runs.length - this.first === RUNS_MAX && Math.abs(ended - this.last) < APART_MS) return
    this.last = ended
    this.keep(run, holds)
  }

  private keep(run: PastRun, holds: readonly HeldSpan[]): void {
    this.runs.push(run)
    this.holds.push(holds)
    this.actions += run.actions.length
    while (this.runs.length - this.first > RUNS_MAX || (this.actions > ACTIONS_MAX && this.runs.length - this.first > 1)) {
      this.actions -= this.runs[this.first]?.actions.length ?? 0
      this.drop(this.first++)
    }
    if (this.first >= RUNS_MAX) this.closeUp(this.first)
  }

  forget(tenant: string): void {
    const left = this.runs.map((run, i) => ({ run, holds: this.holds[i] as readonly HeldSpan[] })).slice(this.first)
    this.closeUp(this.runs.length)
    this.actions = 0
    for (const { run, holds } of left) if (run.tenant !== tenant) this.keep(run, holds)
  }

  /** Its place stays until many are to be closed up, its memory does not. */
  private drop(at: number): void {
    this.runs[at] = NOTHING
    this.holds[at] = NOTHING.actions
    this.made[at] = undefined
  }

  /** From here on. */
  private closeUp(first: number): void {
    this.runs = this.runs.slice(first)
    this.holds = this.holds.slice(first)
    this.made = this.made.slice(first)
    this.first = 0
  }
}
