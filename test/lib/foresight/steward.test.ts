import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Activity } from '../../../lib/foresight/activity.js'
import type { LikelyOptions } from '../../../lib/foresight/scores.js'
import { Steward } from '../../../lib/foresight/steward.js'
import { joinArena } from '../../../lib/open.js'
import { virtual } from '../support.js'
import { activity } from './support.js'

const PERIOD_MS = 100
const TERMS = { period: PERIOD_MS, waitCosts: [1, 2, 8], idleCost: 0.1, control: 0, seed: 1, triggers: false }

test('what is likely is asked about once a look for each tier, however time goes on meanwhile', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const asked: LikelyOptions[] = []
  let time = 0
  const likely = (options: LikelyOptions) => {
    asked.push(options)
    return [{ kind: 'lock', name: 'a', score: 0.9 } as never]
  }
  const steward = new Steward(session, TERMS, () => (time += 0.01), likely, { failed: assert.unreachable, noticed() {} })
  for (time = 1_000; time < 3_000; time += PERIOD_MS) {
    const told: Activity[] = [
      activity({ event: 'end', time, tier: 0, held: 50, workflow: 'nightly' }),
      activity({ time, tier: 2, waited: 40 }),
      activity({ event: 'end', time: time + 1, tier: 2, held: 1 })
    ]
    steward.happened(
      told.slice(0, 2).map(one => ({ time: one.time - 40, activity: one })),
      told
    )
  }
  asked.length = 0
  steward.look()
  assert.ok(asked.length > 0, 'there is something to plan')
  assert.is(new Set(asked.map(({ tier }) => tier)).size, asked.length)
  await steward.stop()
  session.leave()
  await gov.close()
})

test.run()
