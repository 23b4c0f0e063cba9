import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Driver, Peer, Setting } from '../drivers/driver.js'
import { loadFloors } from '../drivers/floors.js'
import { arenaFile } from '../drivers/forelock.js'
import type { Kind, Work } from './kind.js'
import { type Helper, myStarter, startHelper } from './peers.js'

const MS_PER_NS = 1e-6
const MiB = 2 ** 20
const QUEUED_MS = 5

const peerOf = (driver: Driver, name: string): Peer => {
  if (driver.peer === undefined) throw new Error(`${name} has no hand-off`)
  return driver.peer
}

/**
 * ms from the kernel's release of the byte lock of a holder killed by SIGKILL to the grant in this process, which waits all the while
 * (`value`), and from the kill itself at a resident size of 50 MB (`total50`) and 1 GB (`total1g`).
 */
export const recovery: Kind = async work => {
  const { job } = work
  const driver = await work.connect()
  const peer = peerOf(driver, job.driver)
  const series: Record<string, number[]> = { value: [], total50: [], total1g: [] }
  const sizes = [...Array(job.quick ? 5 : 40).fill(50), ...Array(job.quick ? 1 : 2).fill(1024)]
  for (const mib of sizes) {
    const { total, afterRelease } = await killAHolder(work, peer, mib)
    series.value?.push(afterRelease)
    series[mib === 50 ? 'total50' : 'total1g']?.push(total)
  }
  await driver.close()
  return { series }
}

async function killAHolder({ job }: Work, peer: Peer, mib: number): Promise<{ total: number; afterRelease: number }> {
  const floors = loadFloors(job.setting)
  const file = arenaFile(job.setting)
  const before = new Set(floors.lockedRanges(file).map(String))
  const holder = startHelper({ ...job, kind: 'holder', params: { mib } })
  await holder.next()
  const [byte, ...others] = floors.lockedRanges(file).filter(range => !before.has(String(range)))
  if (byte === undefined || others.length > 0) throw new Error('cannot tell which byte lock is the holder’s')
  const granted = peer.wait().then(() => process.hrtime.bigint())
  await sleep(QUEUED_MS)
  const released = new Promise<bigint>(resolve => floors.watchRelease(file, byte[0], resolve))
  const killed = kill(holder)
  const [at, free] = await Promise.all([granted, released])
  await peer.release()
  await holder.stop()
  if (free < 0n) throw new Error('the kernel would not say who holds the byte')
  return { total: Number(at - killed) * MS_PER_NS, afterRelease: Number(at - free) * MS_PER_NS }
}

/** The same from the kill to the grant, for locks that end by time: several at once, since each takes seconds. */
export const expiry: Kind = async ({ job, connect }) => {
  const one = async (lock: number): Promise<number> => {
    const setting: Setting = { ...job.setting, lock, folder: `${job.setting.folder}/${lock}` }
    mkdirSync(setting.folder)
    const driver = await connect(setting)
    const peer = peerOf(driver, job.driver)
    const holder = startHelper({ ...job, setting, kind: 'holder', params: { mib: 50 } })
    await holder.next()
    const granted = peer.wait()
    await sleep(QUEUED_MS)
    const killed = kill(holder)
    await granted
    const ms = Number(process.hrtime.bigint() - killed) * MS_PER_NS
    await peer.release()
    await holder.stop()
    await driver.close()
    return ms
  }
  return { series: { value: await Promise.all([0, 1, 2].slice(0, job.quick ? 1 : 3).map(one)) } }
}

function kill(holder: Helper): bigint {
  const killed = process.hrtime.bigint()
  process.kill(holder.pid, 'SIGKILL')
  return killed
}

/** Takes the lock, grows to a resident size of `mib` and keeps both until it is killed. */
export const holder: Kind = async ({ job, connect }) => {
  const driver = await connect()
  await peerOf(driver, job.driver).hold()
  const missing = Number(job.params.mib) * MiB - process.memoryUsage.rss()
  const ballast = missing > 0 ? Buffer.alloc(missing, 1) : undefined
  const starter = myStarter()
  starter.send({ rss: process.memoryUsage.rss(), ballast: ballast?.length ?? 0 })
  await starter.stopped
  return { series: {} }
}
