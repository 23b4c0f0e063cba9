import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Peer, type PeerEvents, processPeer, threadPeer } from '../../../lib/thread/peer.js'

const folder = mkdtempSync(join(tmpdir(), 'forelock-peer-'))

test.after(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
function script(text: string): string {
  const file = join(folder, `${made++}.cjs`)
  writeFileSync(file, text)
  return file
}

const forked = (text: string): ChildProcess =>
  fork(script(text), [], { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
const thread = (text: string) => new Worker(script(text), { execArgv: [] })

/** All that is told until it has ended. */
function heard(start: (events: PeerEvents<unknown>) => Peer, use: (peer: Peer) => void = () => {}): Promise<string[]> {
  return new Promise(resolve => {
    const told: string[] = []
    const peer = start({
      message: message => told.push(`message ${message}`),
      failed: error => told.push(`failed ${error}`),
      ended(how) {
        told.push(how)
        resolve(told)
      }
    })
    use(peer)
  })
}

test('all that a process sent is heard before its end, however large', async () => {
  const text = `
    process.once('message', ({ n }) => {
      for (let i = 0; i < n; i++) process.send('x'.repeat(1e6) + i)
      process.send('last', () => process.exit(3))
    })`
  const told = await heard(
    events => processPeer(forked(text), events),
    peer => peer.post({ n: 8 })
  )
  assert.equal([told.length, told[8], told[9]], [10, 'message last', 'process ended with code 3'])
})

test('by which signal a process ended is told, and what is sent to it after that is for nobody', async () => {
  const child = forked('process.kill(process.pid, "SIGKILL")')
  let peer: Peer | undefined
  const told = await heard(events => {
    peer = processPeer(child, events)
    return peer
  })
  assert.equal(told, ['process ended by SIGKILL'])
  assert.is(peer?.pid, child.pid)
  peer?.post({})
})

test('a process that cannot be started has failed, and ended', async () => {
  const child = fork(script(''), [], { execPath: join(folder, 'nothing'), stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  const [failed, ended, ...more] = await heard(events => processPeer(child, events))
  assert.match(failed, /ENOENT/)
  assert.equal([ended, more], ['process did not start', []])
})

test('of a thread what it sent, what it threw and how it ended are told', async () => {
  const text = `require('node:worker_threads').parentPort.once('message', ({ n }) => { throw new Error('no ' + n) }).postMessage('first')`
  const told = await heard(
    events => threadPeer(thread(text), events),
    peer => {
      assert.is(peer.pid, process.pid)
      peer.post({ n: 7 })
    }
  )
  assert.equal(told, ['message first', 'failed Error: no 7', 'thread ended with code 1'])
})

test('what cannot be copied is thrown to whoever sends it, by thread and process alike', async () => {
  for (const start of [
    (events: PeerEvents<unknown>) => processPeer(forked('process.once("message", () => process.exit())'), events),
    (events: PeerEvents<unknown>) =>
      threadPeer(thread('require("node:worker_threads").parentPort.once("message", () => process.exit())'), events)
  ]) {
    const told = await heard(start, peer => {
      assert.throws(() => peer.post({ call: () => 1 }), /could not be cloned/)
      peer.post({})
    })
    assert.match(told.join(), /ended with code 0/)
  }
})

test.run()
