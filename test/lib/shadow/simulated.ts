import { type Governor, open, type Workflow } from '../../../lib/index.js'
import { macrotask } from '../support.js'

/** A governor in virtual time, in which work takes as long as it says. */
export class Simulated {
  readonly gov: Governor = open({ clock: 'virtual' })
  private readonly due: { at: number; done: () => void }[] = []

  get now(): number {
    return this.gov.now() / 1e6
  }

  work(ms: number): Promise<void> {
    return new Promise(done => this.due.push({ at: this.now + ms, done }))
  }

  /** Goes on until then, or until nothing is to be done any more. */
  async until(end = Number.POSITIVE_INFINITY): Promise<void> {
    for (;;) {
      await macrotask()
      this.due.sort((a, b) => a.at - b.at)
      const [next] = this.due
      if (next === undefined || next.at > end) break
      this.due.shift()
      if (next.at > this.now) this.gov.advance(next.at - this.now)
      next.done()
    }
    if (end > this.now && end !== Number.POSITIVE_INFINITY) this.gov.advance(end - this.now)
  }

  /** Runs whose actions follow each other. */
  run(workflow: Workflow, steps: readonly (readonly [string, number])[]): Promise<void> {
    return workflow.run(async run => {
      for (const [name, ms] of steps) await run.action(name, () => this.work(ms))
    })
  }
}
