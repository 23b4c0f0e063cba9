import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { ROOT } from './paths.js'

/** Where and of what the figures are. */
export interface Facts {
  node: string
  cpu: string
  cores: number
  kernel: string
  /** short hash, with a + when files differ from it; null outside of a repository */
  commit: string | null
  date: string
  quick: boolean
}

export function facts(quick: boolean): Facts {
  const cores = physicalCores()
  return {
    node: process.versions.node,
    cpu: `${cores} x ${cpus()[0]?.model ?? 'unknown'}`,
    cores,
    kernel: release(),
    commit: commit(),
    date: new Date().toISOString(),
    quick
  }
}

/** Hardware threads of one core share what the trials on disjoint locks need. */
export function physicalCores(): number {
  const folder = '/sys/devices/system/cpu'
  const siblings = readdirSync(folder)
    .filter(name => /^cpu\d+$/.test(name))
    .map(name => read(`${folder}/${name}/topology/thread_siblings_list`))
  return siblings.includes(undefined) ? cpus().length : new Set(siblings).size
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined // a processor that is off, or a container that hides them: then all count
  }
}

function commit(): string | null {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+')
  } catch {
    return null
  }
}
