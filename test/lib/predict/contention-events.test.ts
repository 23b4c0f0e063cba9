import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readEvent, readLength, readNeeds, readTime } from '../../../lib/predict/contention-events.js'
import { isCoded, thrown } from '../support.js'

test('what an event does not say is exclusive, of the lowest tier, at once, and of nobody known', () => {
  const { isShared, tier, waited, workflow, tenant, held, id } = readEvent({ event: 'grant', element: 'one', time: 5 })
  assert.equal([isShared, tier, waited, workflow, tenant, held, id], [false, 0, 0, '', undefined, undefined, undefined])
})

test('times that are years away are clamped, and what is no time is refused', () => {
  assert.equal([readTime(1e300, 'now'), readTime(-1e300, 'now'), readTime(3, 'now')], [1e15, -1e15, 3])
  assert.equal([readLength(Number.POSITIVE_INFINITY, 'held'), readLength(3, 'held')], [1e12, 3])
  for (const call of [() => readTime(Number.NaN, 'now'), () => readTime('1', 'now'), () => readLength(-1, 'held')]) {
    isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
  }
})

test('needs name elements, or what names begin with', () => {
  assert.equal(readNeeds([{ element: 'a*' }, { pattern: 'a*', mode: 'shared' }]), [
    { name: 'a*', isPattern: false, isShared: false },
    { name: 'a', isPattern: true, isShared: true }
  ])
  for (const needs of [[{ pattern: '*a' }], Array.from({ length: 1_025 }, () => ({ element: 'a' }))]) {
    isCoded(
      thrown(() => readNeeds(needs)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test.run()
