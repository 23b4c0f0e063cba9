import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ending, start, temporaryFolder } from './support.js'

const test = suite('any JavaScript value into any function')
const dir = temporaryFolder()
const seeds = process.env.FORELOCK_SEED ? [Number(process.env.FORELOCK_SEED)] : [1, 2, 3]
const WATCHDOG_MS = 120_000

for (const what of ['native', 'public']) {
  for (const seed of seeds) {
    test(`${what} functions answer or throw a typed error, and never crash (seed ${seed})`, async () => {
      const end = await ending(start('fuzz-addon.child.ts', [what, String(seed), dir]), WATCHDOG_MS)
      assert.equal(
        { code: end.code, signal: end.signal, timedOut: end.timedOut },
        { code: 0, signal: null, timedOut: false },
        `seed ${seed}: ${end.output.slice(-2000)}`
      )
    })
  }
}

test.run()
