import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Ensemble } from '../../../lib/predict/ensemble.js'
import { seal, unseal } from '../../../lib/predict/saved.js'
import { readForecaster, writeForecaster } from '../../../lib/predict/saved-forecaster.js'
import { isCoded, thrown } from '../support.js'
import { hourly } from './series.js'

const MAGIC = 'forelock forecaster 1\n'

const ensemble = new Ensemble()
await ensemble.fit(hourly(400, 5))
const saved = JSON.parse(Buffer.from(unseal(MAGIC, ensemble.save()) as Uint8Array).toString())

test('what was written is read as it was', () => {
  assert.equal(readForecaster(writeForecaster(saved)), saved)
})

test('what holds a value that no forecaster has is refused, though it is whole', () => {
  const { learnt } = saved
  const [member] = learnt.members
  const bad: Record<string, object> = {
    name: { name: 5 },
    'no values': { values: null },
    'a value that is none': { values: [1, null] },
    'a text for a value': { values: ['1'] },
    later: { later: 0.5 },
    least: { least: 'low' },
    nothing: { learnt: undefined },
    ...Object.fromEntries(
      Object.entries({
        by: { by: 'vote' },
        'a season of one': { periods: [1] },
        'a huge season': { periods: [1e9] },
        length: { length: -1 },
        reach: { reach: 0 },
        'a reach that does not fit': { reach: 47 },
        'no errors': { errors: [] },
        'an error that is none': { errors: new Array(48).fill(null) },
        'no members': { members: {} },
        'a weight above 1': { members: [{ ...member, weight: 1.5 }] },
        'a weight of 0': { members: [{ ...member, weight: 0 }] },
        'a negative error': { members: [{ ...member, error: -1 }] },
        'a scale below 0': { scales: [[0.9, -1]] },
        'a scale of what is no coverage': { scales: [[9, 1]] }
      }).map(([kind, part]) => [kind, { learnt: { ...learnt, ...part } }])
    )
  }
  for (const [kind, part] of Object.entries(bad)) {
    const bytes = seal(MAGIC, Buffer.from(JSON.stringify({ ...saved, ...part })))
    assert.is(readForecaster(bytes), undefined, kind)
    isCoded(
      thrown(() => new Ensemble().load(bytes)),
      'ERR_FORELOCK_CORRUPT'
    )
  }
})

test('what a member cannot take is refused', () => {
  const members = saved.learnt.members.map((member: object) => ({ ...member, state: ['a'] }))
  const bytes = writeForecaster({ ...saved, learnt: { ...saved.learnt, members } })
  isCoded(
    thrown(() => new Ensemble().load(bytes)),
    'ERR_FORELOCK_CORRUPT'
  )
})

test('another version, and what is no JSON, is refused', () => {
  assert.is(readForecaster(seal('forelock forecaster 0\n', Buffer.from(JSON.stringify(saved)))), undefined)
  assert.is(readForecaster(seal(MAGIC, Buffer.from('{'))), undefined)
  assert.is(readForecaster(seal(MAGIC, Buffer.from('null'))), undefined)
})

test.run()
