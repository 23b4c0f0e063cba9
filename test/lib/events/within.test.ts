import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../../../lib/events/within.js'
import { thrown } from '../support.js'

test('hands on what is returned and what is thrown, as it is', () => {
  const value = { a: 1 }
  assert.is(within(1_000, () => value)?.value, value)
  const error = new Error('x')
  assert.is(
    thrown(() =>
      within(1_000, () => {
        throw error
      })
    ),
    error
  )
})

test('ends what does not end', () => {
  let turns = 0
  const endless = () => {
    for (;;) turns++
  }
  assert.is(within(20, endless), undefined)
  assert.ok(turns > 0)
})

test.run()
