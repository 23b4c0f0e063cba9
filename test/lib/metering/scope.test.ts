import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { planOf } from '../../../lib/metering/scope.js'
import { Counter, MeterScope } from '../../../lib/native/meter.js'

const PAGE = 16_384

test('time alone reads no file, but of another process the one by which it is known', () => {
  assert.equal(planOf('thread', 'time', PAGE).files, [])
  assert.equal(planOf('process', 'time', PAGE).files, [])
  assert.equal(
    planOf({ pid: 7 }, 'time', PAGE).files.map(([path]) => path),
    ['/proc/7/stat']
  )
  assert.equal(
    planOf('host', 'time', PAGE).files.map(([path]) => path),
    ['/proc/stat']
  )
})

test('the file by which another process is known comes first', () => {
  const { files, pid, scope } = planOf({ pid: 7 }, 'all', PAGE)
  assert.is(files[0][0], '/proc/7/stat')
  assert.is(pid, 7)
  assert.is(scope, MeterScope.Other)
})

test('resident memory is counted in the pages of the machine', () => {
  const terms = planOf('process', 'all', PAGE).files.flatMap(([, ...all]) => all)
  assert.equal(
    terms.filter(([, , counter]) => counter === Counter.Memory).map(([, , , factor]) => factor),
    [PAGE]
  )
})

test('only another process has words for what is known once it has ended', () => {
  assert.equal(planOf('process', 'all', PAGE).endMethods, {})
  assert.match(planOf({ pid: 7 }, 'all', PAGE).endMethods.cpu as string, 'waitid')
})

test.run()
