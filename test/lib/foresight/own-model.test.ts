import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DemandBook } from '../../../lib/foresight/demand.js'
import { OwnModels } from '../../../lib/foresight/own-model.js'
import { type Model, Scorekeeper } from '../../../lib/index.js'
import { isCoded, thrown } from '../support.js'
import { activity, TIERS } from './support.js'

const START = 1_700_000_000_000
const seven: Model = { name: 'seven', fit: () => true, predict: (_, __, out) => !!out.fill(7) }
const boom = () => {
  throw new Error('boom')
}

/** What is foretold of ten minutes of a bucket, and who says it, with a model of a user's. */
async function foretold(make: () => Model) {
  const book = new DemandBook(TIERS, START, new Scorekeeper())
  for (let second = 0; second < 600; second++) book.asked(START + 1_000 * second, activity({ kind: 'bucket', name: 'b', amount: 5 }))
  book.register(make)
  const { point, weights } = await book.forecast({ bucket: 'b' }, { horizon: 10_000 }, START + 600_000)
  return { point: [...point].map(Math.round), names: weights.map(({ name }) => name) }
}

const FAILS: Record<string, Partial<Model>> = {
  'throws in its fit': { fit: boom },
  'rejects its fit': { fit: async () => boom() },
  'says what is no answer': { fit: () => 'yes' as never },
  'throws when it is asked': { predict: boom },
  'promises a forecast': { predict: (async () => true) as never },
  'throws what is no error': {
    predict: () => {
      throw undefined
    }
  }
}
for (const [what, part] of Object.entries(FAILS)) {
  test(`a model that ${what} is left out with a warning, once, and others go on`, async () => {
    const warned = once(process, 'warning')
    const warnings: Error[] = []
    const hear = (warning: Error) => warnings.push(warning)
    process.on('warning', hear)
    const { point, names } = await foretold(() => ({ ...seven, ...part }))
    assert.equal(point, Array(10).fill(5))
    assert.not.ok(names.includes('seven'))
    assert.match((await warned)[0].message, /seven is left out/)
    process.off('warning', hear)
    assert.is(warnings.length, 1)
  })
}

test('a model that says what is no number, or gives the values of its own, changes nothing', async () => {
  for (const said of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    const predict: Model['predict'] = (values, _, out) => {
      values.fill(said)
      return !!out.fill(said)
    }
    const { point, names } = await foretold(() => ({ ...seven, predict }))
    assert.equal(point, Array(10).fill(5))
    assert.not.ok(names.includes('seven'))
  }
})

test('a model sees what was, and not what came', async () => {
  const lengths: boolean[] = []
  const predict: Model['predict'] = (values, length, out) => {
    lengths.push(values.length === length)
    return !!out.fill(5)
  }
  await foretold(() => ({ ...seven, predict }))
  assert.ok(lengths.length > 10 && lengths.every(Boolean))
})

test('a fit that is not over in its time is given up, and not begun again', async () => {
  const models = new OwnModels(0)
  let fits = 0
  models.add(() => ({ ...seven, fit: () => new Promise(() => fits++) }))
  const warned = once(process, 'warning')
  const [one, other] = [...models.make(), ...models.make()]
  assert.is(await one?.fit(new Float64Array(3), 3), false)
  assert.match((await warned)[0].message, /more than 0 ms/)
  assert.is(await other?.fit(new Float64Array(3), 3), false)
  assert.equal([fits, models.make().length], [1, 0])
})

test('what makes no models is refused when it is registered, and what fails to later is left out', async () => {
  const models = new OwnModels()
  for (const made of [1, null, undefined, {}, { ...seven, predict: 5 }, { ...seven, name: 5 }]) {
    isCoded(
      thrown(() => models.add(() => made as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  isCoded(
    thrown(() => models.add(5 as never)),
    'ERR_FORELOCK_ARGUMENT'
  )
  assert.is(thrown(() => models.add(boom)).message, 'boom')
  let made = 0
  models.add(() => (made++ === 0 ? seven : boom()))
  const warned = once(process, 'warning')
  assert.equal(models.make(), [])
  assert.match((await warned)[0].message, /boom/)
})

test.run()
