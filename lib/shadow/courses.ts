import { Course, type HeldSpan, type PastRun } from './course.js'

/** How many of the last runs are remembered. */
const RUNS_MAX = 256
/** How many actions of theirs together, which bounds the memory; the last run is remembered whatever it has. */
const ACTIONS_MAX = 16_384

/** When there are enough, runs that end closer together than this are one. */
const APART_MS = 1
const NONE: readonly HeldSpan[] = []

/** How the last runs of a workflow went, whatever came of them: those that failed tell where runs fail. */
export class Courses<R extends PastRun = PastRun> {
  // Each run adds to these and few ask, so they are made into courses when somebody does.
  private runs: (R | undefined)[] = []
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
      const course = this.made[first + i] ?? new Course(run as R, holds[first + i] ?? NONE)
      this.made[first + i] = course
      return course
    })
  }

  /** @param ended ms */
  add(run: R, holds: readonly HeldSpan[], ended: number): void {
    // What is remembered outlives the young generation, which would cost a short run a twentieth; and the last ms tells little of what is usual.
    if (this.runs.length - this.first === RUNS_MAX && Math.abs(ended - this.last) < APART_MS) return
    this.last = ended
    this.keep(run, holds)
  }

  private keep(run: R, holds: readonly HeldSpan[]): void {
    this.runs.push(run)
    this.holds.push(holds)
    this.actions += run.actions.length
    while (this.runs.length - this.first > RUNS_MAX || (this.actions > ACTIONS_MAX && this.runs.length - this.first > 1)) {
      this.actions -= this.runs[this.first]?.actions.length ?? 0
      this.drop(this.first++)
    }
    if (this.first >= RUNS_MAX) this.closeUp(this.first)
  }

  /** @returns what is left, the oldest first */
  forget(tenant: string): R[] {
    const left = this.runs.flatMap((run, i) => (run === undefined || run.tenant === tenant ? [] : [{ run, holds: this.holds[i] ?? NONE }]))
    this.closeUp(this.runs.length)
    this.actions = 0
    for (const { run, holds } of left) this.keep(run, holds)
    return left.map(({ run }) => run)
  }

  /** Its place stays until many are to be closed up, its memory does not. */
  private drop(at: number): void {
    this.runs[at] = undefined
    this.holds[at] = NONE
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
