import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Session } from '../../../lib/session.js'
import { addLearner, forgetTenant } from '../../../lib/workflow/learners.js'
import { macrotask } from '../support.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test('all that have learnt in a governor forget, and none of another', () => {
  const [session, other] = [{}, {}] as Session[]
  const told: string[] = []
  const learner = (name: string) => ({ forget: (tenant: string) => void told.push(`${name} ${tenant}`) })
  const [a, b, c] = [learner('a'), learner('b'), learner('c')]
  addLearner(session as Session, a)
  addLearner(session as Session, b)
  addLearner(other as Session, c)
  forgetTenant(session as Session, 'acme')
  assert.equal(told, ['a acme', 'b acme'])
})

test('one that nobody has any more is not kept for it', async () => {
  const session = {} as Session
  let collected = 0
  const registry = new FinalizationRegistry(() => collected++)
  for (let i = 0; i < 1000; i++) {
    const learner = { forget: () => assert.unreachable() }
    registry.register(learner, undefined)
    addLearner(session, learner)
    if (i % 100 === 99) {
      await macrotask()
      collect()
    }
  }
  await macrotask()
  collect()
  await macrotask()
  assert.ok(collected > 900, `${collected}`)
})

test.run()
