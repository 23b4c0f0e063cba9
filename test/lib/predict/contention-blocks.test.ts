import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Contention } from '../../../lib/predict/contention.js'
import { seeded } from './series.js'

/** A long and a short holder of one element each, for which somebody comes a second after the first half of the long ones. */
function taught(): Contention {
  const random = seeded(4)
  const contention = new Contention()
  for (let i = 0; i < 1_500; i++) {
    const time = 20_000 * i
    const [long, late, short] = [
      { element: 'one', workflow: 'long', id: 3 * i },
      { element: 'one', workflow: 'late', id: 3 * i + 1 },
      { element: 'two', workflow: 'short', id: 3 * i + 2 }
    ]
    const isAsked = random() < 0.5
    contention.record([
      { ...long, event: 'grant', time },
      { ...short, event: 'grant', time },
      { ...short, event: 'end', time: time + 5 }
    ])
    if (isAsked) contention.record([{ ...late, event: 'request', time: time + 1_000 }])
    contention.record([{ ...long, event: 'end', time: time + 2_000 }])
    if (!isAsked) continue
    contention.record([
      { ...late, event: 'grant', time: time + 2_000, waited: 1_000 },
      { ...late, event: 'end', time: time + 2_005 }
    ])
  }
  return contention
}

const blocks = (contention: Contention, element: string, workflow: string, duration?: number) =>
  contention.probability({ needs: [{ element }], workflow, now: 20_000 * 1_500, duration }).blocks

test('says how often somebody waits for what such a request holds', () => {
  const contention = taught()
  const [long, short] = [blocks(contention, 'one', 'long'), blocks(contention, 'two', 'short')]
  assert.ok(Math.abs(long - 0.5) < 0.15 && short < 0.05, `${long} ${short}`)
  assert.is(blocks(contention, 'one', 'long', 0), 0)
})

test('what is saved knows it, too', () => {
  const heir = new Contention()
  heir.load(taught().save())
  for (let i = 0; i < 3; i++) {
    heir.record([
      { event: 'grant', element: 'one', workflow: 'long', time: 20_000 * i },
      { event: 'end', element: 'one', workflow: 'long', time: 20_000 * i + 2_000 }
    ])
  }
  const said = heir.probability({ needs: [{ element: 'one' }], workflow: 'long', now: 60_000 }).blocks
  assert.ok(said > 0.1 && said < 0.9, String(said))
})

test.run()
