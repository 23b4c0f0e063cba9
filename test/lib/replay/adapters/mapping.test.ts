import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inferMapping, mappingText, readMapping } from '../../../../lib/replay/adapters/mapping.js'
import { isCoded, thrown } from '../../support.js'

test('a mapping says which column is what, in which unit', () => {
  const text = 'time=at:s,duration=took:us,lock=key,mode=rw,input=bytes+kind'
  const mapping = readMapping(text)
  assert.equal(mapping.columns.time, { name: 'at', unit: 's' })
  assert.equal(mapping.columns.lock, { name: 'key', unit: 'ms' })
  assert.equal(mapping.inputs, ['bytes', 'kind'])
  assert.is(mappingText(mapping), text)
})

test('a column may have a colon in its name', () => {
  assert.equal(readMapping('time=trace:at').columns.time, { name: 'trace:at', unit: 'ms' })
})

test('what is no mapping is refused, and so is one without a time', () => {
  for (const text of ['', 'time', 'colour=red,time=t', 'duration=d'])
    isCoded(
      thrown(() => readMapping(text)),
      'ERR_FORELOCK_ARGUMENT'
    )
})

test('it is proposed by what columns are called and what is in them', () => {
  const rows = [{ timestamp: '1700000000', duration_us: '12', service: 'a', priority: 'standard', bytes: '7', note: 'x' }]
  const mapping = inferMapping(Object.keys(rows[0] as object), rows)
  assert.is(mapping && mappingText(mapping), 'time=timestamp:s,duration=duration_us:us,workflow=service,tier=priority,input=bytes')
})

test('dates are times, also in a column of another name', () => {
  const rows = [{ when: '2026-01-02 10:00:00', lock: 'a', latency: '3' }]
  const mapping = inferMapping(['when', 'lock', 'latency'], rows)
  assert.is(mapping && mappingText(mapping), 'duration=latency:ms,lock=lock,time=when:iso')
})

test('where nothing looks like a time there is no proposal', () => {
  assert.is(inferMapping(['a'], [{ a: 'x' }]), undefined)
  assert.is(inferMapping([], []), undefined)
})

test.run()
