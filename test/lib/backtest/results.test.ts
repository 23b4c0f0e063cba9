import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { htmlOf } from '../../../lib/backtest/report.js'
import { type Ran, rowsOf, tableOf } from '../../../lib/backtest/results.js'
import { boundText, isMet } from '../../../lib/backtest/suite.js'

const ran: Ran = {
  suite: { name: 'made-up', title: 'a <suite>', settings: 'none', needs: [], run: () => Promise.reject(new Error('it has run')) },
  seconds: 1.5,
  result: {
    measures: [
      { id: 'good', unit: 'ms', value: 3, must: { atMost: 4 }, beyond: { atMost: 2 }, rivals: { other: 5 } },
      { id: 'bad', unit: '', value: 0.5, must: { from: 0.9, to: 1 } },
      { id: 'free', unit: '', value: 1e-5 }
    ],
    charts: [
      {
        title: 'a <chart>',
        x: 'x',
        y: 'y',
        lines: [
          {
            name: 'one',
            points: [
              [0, 1],
              [1, 1]
            ],
            band: [
              [0, 2],
              [0, 3]
            ]
          }
        ]
      },
      { title: 'empty', x: 'x', y: 'y', square: true, lines: [{ name: 'none', points: [] }] }
    ]
  }
}

test('a bound is kept at its very value', () => {
  assert.is(isMet(4, { atMost: 4 }), true)
  assert.is(isMet(4, { atLeast: 4 }), true)
  assert.is(isMet(4.1, { atMost: 4 }), false)
  assert.is(isMet(0.9, { from: 0.9, to: 1 }), true)
  assert.is(isMet(Number.NaN, { atMost: 4 }), false)
  assert.is(isMet(4, undefined), undefined)
  assert.is(boundText({ from: 1, to: 2 }), '1 to 2')
})

test('a row says what was measured, against what, and whether it is met', () => {
  const [good, bad, free] = rowsOf([ran])
  assert.is(good?.id, 'made-up/good')
  assert.is(good?.must, 4)
  assert.is(good?.meta.met, true)
  assert.is(good?.meta.metBeyond, false)
  assert.equal(good?.rivals, { other: 5 })
  assert.equal(bad?.must, [0.9, 1])
  assert.is(bad?.meta.met, false)
  assert.is(free?.must, null)
  assert.is(free?.meta.met, null)
})

test('the table says what is missed', () => {
  const text = tableOf(ran)
  assert.match(text, 'must <= 4: met, beyond <= 2: no, other 5.0000')
  assert.match(text, 'must 0.9 to 1: MISSED')
  assert.match(text, '1.00e-5')
})

test('the page escapes what it is told, and draws numbers only', () => {
  const page = htmlOf([ran], new Date(0))
  assert.match(page, 'a &#60;suite&#62;')
  assert.not.match(page, /<suite>|<chart>/)
  assert.not.match(page, /d="[^"]*(NaN|Infinity|undefined)/)
  assert.is(page.match(/<svg/g)?.length, 2)
})

test.run()
