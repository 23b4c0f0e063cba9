// Takes a lock as it is told, and holds it until it is killed.
import { spawn } from 'node:child_process'
import { open } from '../../lib/index.js'

interface Order {
  acquire?: string
  mode?: 'exclusive' | 'shared'
  wait?: string
  spawn?: boolean
  release?: boolean
}

const [dir, name] = process.argv.slice(2) as [string, string]
const gov = open({ name, dir })
const grants: { release(): boolean }[] = []

process.on('message', async (order: Order) => {
  if (order.acquire !== undefined) {
    const grant = await gov.lock(order.acquire).acquire({ mode: order.mode ?? 'exclusive' })
    grants.push(grant)
    process.send?.({ token: String(grant.token), ownerDied: grant.ownerDied, pid: process.pid })
  } else if (order.wait !== undefined) {
    gov
      .lock(order.wait)
      .acquire()
      .then(grant => grants.push(grant))
    process.send?.({})
  } else if (order.spawn) {
    // A grandchild that would keep whatever descriptors it inherits.
    const grandchild = spawn(process.execPath, ['-e', 'process.stdin.resume(); setTimeout(() => {}, 60000)'], {
      stdio: 'ignore',
      detached: true
    })
    grandchild.on('spawn', () => process.send?.({ pid: grandchild.pid }))
  } else if (order.release) {
    process.send?.({ released: grants.splice(0).map(grant => grant.release()) })
  }
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
