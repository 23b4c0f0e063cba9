import { spawnSync } from 'node:child_process'
import { arenaOf, load } from '../drivers/forelock.js'
import type { Kind } from './kind.js'

const MS_PER_NS = 1e-6

/** ms of open() of a new named arena at default capacities, the first in its process, so the addon is loaded too. */
export const opening: Kind = async ({ job }) => {
  const { open } = await load(job.setting)
  const from = process.hrtime.bigint()
  const gov = open(arenaOf(job.setting))
  const ms = Number(process.hrtime.bigint() - from) * MS_PER_NS
  await gov.close()
  return { series: { value: [ms] } }
}

/** ms of require() of the package in a process that has loaded nothing else. */
export const requiring: Kind = async ({ job }) => {
  const script = `
    const from = process.hrtime.bigint()
    const loaded = require(process.argv[1])
    const ns = process.hrtime.bigint() - from
    if (typeof loaded.open !== 'function') throw new Error('this is not forelock')
    console.log(String(ns))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script, job.setting.package], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return { series: { value: [Number(stdout) * MS_PER_NS] } }
}
