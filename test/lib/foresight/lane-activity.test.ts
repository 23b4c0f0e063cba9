import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LaneActivity, LaneRecords } from '../../../lib/foresight/lane-activity.js'
import { RECORD_BYTES } from '../../../lib/telemetry/record.js'

const [GRANT, END] = [2, 4]
const NS_PER_MS = 1_000_000n
const OFFSET_MS = 1_700_000_000_000

/** Of the second place, 5 ms after the clock began. */
function told(event: number, { client = 0, waited = 0, held = 0 } = {}): LaneActivity {
  const records = new LaneRecords(2, OFFSET_MS)
  const view = new DataView(records.bytes.buffer, RECORD_BYTES)
  view.setBigUint64(0, 5n * NS_PER_MS, true)
  view.setUint8(16, event)
  view.setUint16(20, 3, true)
  view.setUint16(22, 7, true)
  view.setUint32(32, client, true)
  view.setFloat64(40, 0.25, true)
  view.setBigUint64(48, BigInt(waited) * NS_PER_MS, true)
  view.setBigUint64(56, BigInt(held) * NS_PER_MS, true)
  records.hints.set([1, 2])
  records.workflowHints.set([3, 4])
  const activity = new LaneActivity(records, 1)
  activity.renew()
  return activity
}

test('what a record says is told in ms, and by whoever did it where no client was named', () => {
  const grant = told(GRANT, { waited: 2, held: 9 })
  assert.equal([grant.time, grant.event, grant.kind, grant.amount, grant.waited], [OFFSET_MS + 5, 'grant', 'lock', 0.25, 2])
  assert.equal([grant.hint, grant.workflowHint], [2, 4])
  const environment = 3 * 2 ** 16 + 7
  assert.equal([grant.environment, grant.client, told(GRANT, { client: 12 }).client], [environment, environment, 12])
})

test('another record at its place is told of once it is read', () => {
  const records = new LaneRecords(1, OFFSET_MS)
  const activity = new LaneActivity(records, 0)
  const kinds = [0, 2].map(kind => {
    records.bytes.set([kind === 0 ? GRANT : END, kind + 1, 0, kind], 16)
    activity.renew()
    return [activity.event, activity.kind, activity.tier]
  })
  assert.equal(kinds, [
    ['grant', 'lock', 1],
    ['end', 'pool', 3]
  ])
})

test('for how long it was held is known of its end alone, and not of each', () => {
  assert.equal([told(END, { held: 9 }).held, told(END).held, told(GRANT, { held: 9 }).held], [9, Number.NaN, Number.NaN])
})

test.run()
