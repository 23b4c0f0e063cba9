import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Session } from '../../lib/session.js'
import { HeldLocks } from '../../lib/web-locks/held-locks.js'
import type { Request } from '../../lib/web-locks/request.js'

function setUp() {
  const watched = new Set<object>()
  const list = new HeldLocks({ waiting: { watched } } as unknown as Session)
  const log: string[] = []
  const request = (name: string, whenChecked = () => {}) => {
    const made = {
      previous: undefined,
      next: undefined,
      check() {
        log.push(name)
        whenChecked()
      },
      close: () => log.push(`${name} closed`)
    }
    return made as unknown as Request
  }
  const checked = () => {
    log.length = 0
    list.check()
    return [...log].sort()
  }
  return { watched, list, log, request, checked }
}

test('every lock that is held is checked, and none that is held no more, whichever goes first', () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
    [1, 2, 0],
    [0, 2, 1],
    [2, 0, 1]
  ]) {
    const { list, request, checked } = setUp()
    const requests = ['a', 'b', 'c'].map(name => request(name))
    for (const held of requests) list.add(held)
    const left = new Set(['a', 'b', 'c'])
    for (const i of order) {
      assert.equal(checked(), [...left])
      list.delete(requests[i] as Request)
      left.delete('abc'.charAt(i))
    }
    assert.equal(checked(), [])
  }
})

test('to delete what is not in the list changes nothing', () => {
  const { list, request, checked } = setUp()
  const [a, b] = [request('a'), request('b')]
  list.add(a)
  list.add(b)
  list.delete(a)
  list.delete(a)
  list.delete(request('c'))
  assert.equal(checked(), ['b'])
})

test('a lock may be deleted while it is checked, and all the others are checked all the same', () => {
  const { list, request, checked } = setUp()
  const lost: Request = request('lost', () => list.delete(lost))
  for (const held of [request('a'), lost, request('b')]) list.add(held)
  assert.equal(checked(), ['a', 'b', 'lost'])
  assert.equal(checked(), ['a', 'b'])
})

test('the list is watched from the start until it is closed, which closes all', () => {
  const { watched, list, log, request } = setUp()
  assert.ok(watched.has(list))
  for (const name of ['a', 'b']) list.add(request(name))
  list.close()
  assert.equal([...log].sort(), ['a closed', 'b closed'])
  assert.is(watched.size, 0)
})

test.run()
