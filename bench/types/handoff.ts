import type { Peer } from '../drivers/driver.js'
import type { Kind, Work } from './kind.js'
import { myStarter, startHelper } from './peers.js'

const IDLE = new Int32Array(new SharedArrayBuffer(4))

/**
 * From the request to the release 1 to 2 ms pass: the waiter's thread is asleep by then, as in life. Not always the same time, nor a whole
 * number of ms, or those that ask again every ms would always be met in the same phase.
 */
export function letItSleep(): void {
  Atomics.wait(IDLE, 0, 0, 1 + Math.random())
}

async function connectPeer({ job, connect }: Work): Promise<{ peer: Peer; close(): void | Promise<void> }> {
  const driver = await connect()
  if (driver.peer === undefined) throw new Error(`${job.driver} has no hand-off`)
  return { peer: driver.peer, close: () => driver.close() }
}

/**
 * ns from the call that releases a lock to the first line that runs under it in another process or thread (`thread`). Both sides read
 * the same clock; what they tell each other about the turns stays outside of the measured time. `unit`: ns in the unit of the row.
 */
export const handoff: Kind = async work => {
  const { job } = work
  const { peer, close } = await connectPeer(work)
  const helper = startHelper({ ...job, kind: 'handoffWaiter' }, job.params.thread as 'process' | 'worker')
  const unit = Number(job.params.unit ?? 1)
  const warmUp = 20
  const turns = warmUp + (job.quick ? 100 : 300)
  const value: number[] = []
  if ((await helper.next()) !== 'ready') throw new Error('the waiter is not ready')
  for (let turn = 0; turn < turns; turn++) {
    await peer.hold()
    const waiting = helper.next()
    helper.send('wait')
    await waiting
    letItSleep()
    const granted = helper.next()
    const released = process.hrtime.bigint()
    const releasing = peer.release()
    const at = BigInt((await granted) as string)
    await releasing
    if (turn >= warmUp) value.push(Number(at - released) / unit)
  }
  await helper.stop()
  await close()
  return { series: { value } }
}

export const handoffWaiter: Kind = async work => {
  const { peer, close } = await connectPeer(work)
  const starter = myStarter()
  starter.listen(async () => {
    const held = peer.wait()
    starter.send('waiting')
    await held
    const at = process.hrtime.bigint()
    await peer.release()
    starter.send(String(at))
  })
  starter.send('ready')
  await starter.stopped
  await close()
  return { series: {} }
}
