import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ElementSnapshot, HolderSnapshot, WaiterSnapshot } from '../../lib/native/binding.js'
import { toSnapshot } from '../../lib/web-locks/snapshot.js'

const party = { participant: 1, pid: 1, tid: 1, pidNamespace: 1, tier: 1, ageMs: 0 }
const holder = (client: string, shared: boolean): HolderSnapshot => ({ ...party, client, shared, token: 1n, alive: true })
const waiter = (client: string, shared: boolean, state: WaiterSnapshot['state']): WaiterSnapshot => ({ ...party, client, shared, state })
const element = (name: string, kind: number, holders: HolderSnapshot[], waiters: WaiterSnapshot[]): ElementSnapshot => ({
  name,
  kind,
  holders,
  waiters
})

test('holders are held and waiters pending, in the order of the arena', () => {
  const elements = [
    element('a', 0, [holder('x', true), holder('y', true)], [waiter('z', false, 'queued'), waiter('x', true, 'queued')]),
    element('b', 0, [holder('z', false)], [])
  ]
  assert.equal(toSnapshot(elements), {
    held: [
      { clientId: 'x', mode: 'shared', name: 'a' },
      { clientId: 'y', mode: 'shared', name: 'a' },
      { clientId: 'z', mode: 'exclusive', name: 'b' }
    ],
    pending: [
      { clientId: 'z', mode: 'exclusive', name: 'a' },
      { clientId: 'x', mode: 'shared', name: 'a' }
    ]
  })
})

test('a lock that is granted but not taken yet is held already, and pending no more', () => {
  const elements = [element('a', 0, [holder('x', false)], [waiter('x', false, 'ready')])]
  assert.equal(toSnapshot(elements), { held: [{ clientId: 'x', mode: 'exclusive', name: 'a' }], pending: [] })
})

test('what is no lock does not show', () => {
  const elements = [element('bucket', 1, [holder('x', false)], [waiter('y', false, 'queued')])]
  assert.equal(toSnapshot(elements), { held: [], pending: [] })
})

test.run()
