/** Every check, in whatever language, ends with one line `N passed, N failed`; a suite's line is the sum over its parts. */
const LINE = /^(\d+) passed, (\d+) failed\b/gm

/** @returns {{ passed: number, failed: number } | undefined} the last such line of an output */
export function lastTally(output) {
  const found = [...output.matchAll(LINE)].at(-1)
  return found && { passed: Number(found[1]), failed: Number(found[2]) }
}

export class Tally {
  passed = 0
  failed = 0

  add({ passed, failed }) {
    this.passed += passed
    this.failed += failed
  }

  /** A part that answers yes or no. */
  check(ok) {
    this.add(ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 })
  }

  /**
   * A part that ran as a process. One that ended badly fails even if all it counted passed; one that counted nothing is a check of its own.
   * @param {{ code: number | null, output: string }} result
   */
  ended({ code, output }) {
    const counted = lastTally(output)
    if (counted) this.add(counted)
    if (!counted || (code !== 0 && counted.failed === 0)) this.check(code === 0)
  }

  /** Prints the line and sets the exit code. A suite in which nothing ran has failed. */
  finish() {
    if (this.passed + this.failed === 0) this.failed = 1
    console.log(`${this.passed} passed, ${this.failed} failed`)
    process.exitCode = this.failed === 0 ? 0 : 1
  }
}

/** What the crash and schedule suites count beside checks, one `N things` line each, summed over their programs. */
export class Counts {
  #sums = new Map()

  add(output) {
    for (const [, count, thing] of output.matchAll(/^(\d+) (instructions|arena states|scenarios|schedules|states)$/gm)) {
      this.#sums.set(thing, (this.#sums.get(thing) ?? 0) + Number(count))
    }
  }

  finish() {
    for (const [thing, count] of this.#sums) console.log(`${count} ${thing}`)
  }
}
