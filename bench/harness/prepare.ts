import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Contestant, OTHER_NODE } from '../rivals.js'
import { BENCH, FLOORS_ADDON, isStale, must, NATIVE, nodeRelease, ROOT, withHeaders } from './paths.js'

const QUIET = { capture: true, quiet: true }

/** What the measured processes run, in plain JavaScript. */
export async function compileBench(): Promise<void> {
  await must(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', join(BENCH, 'tsconfig.json')], { cwd: BENCH })
}

export async function buildFloors(): Promise<void> {
  if (!isStale([FLOORS_ADDON], [join(NATIVE, 'addon'), join(NATIVE, 'binding.gyp')])) return
  console.log('building the floors')
  const gyp = join(ROOT, 'node_modules', '.bin', 'node-gyp')
  await must(gyp, ['rebuild', '--directory', NATIVE, '--jobs', '2'], { env: await withHeaders(), cwd: ROOT, ...QUIET })
}

export async function buildOwn(): Promise<void> {
  await must(process.execPath, [join(ROOT, 'scripts', 'build.mjs')], { cwd: ROOT })
}

interface Manifest {
  version: string
  engines?: { node?: string }
}

const manifestOf = (name: string): Manifest | undefined => {
  const file = join(BENCH, 'node_modules', name, 'package.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : undefined
}

/** Installs what bench/package.json names, unless it is there in those versions. */
export async function installRivals(): Promise<void> {
  const { dependencies } = JSON.parse(readFileSync(join(BENCH, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  if (Object.entries(dependencies).every(([name, version]) => manifestOf(name)?.version === version)) return
  console.log('installing the rivals')
  const args = ['install', '--prefix', BENCH, '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await must('npm', args, { cwd: BENCH, ...QUIET })
}

/** The Node a contestant runs under, and its version for the results. */
export interface Runtime {
  exec: string
  node: string
  version?: string
}

/** @throws Error saying why the contestant cannot be measured here */
export async function runtimeOf(contestant: Contestant): Promise<Runtime> {
  const release = contestant.node ?? (contestant.package === undefined ? undefined : releaseFor(contestant.package))
  const version = contestant.package === undefined ? undefined : manifestOf(contestant.package)?.version
  const here = { exec: process.execPath, node: process.versions.node }
  const there = async (node: string) => ({ exec: join(await nodeRelease(node), 'bin', 'node'), node })
  return { ...(release === undefined ? here : await there(release)), ...(version !== undefined && { version }) }
}

/** The release to run a package under, where its engines refuse the running one. Rivals name major versions, exact ones (`^18`) and a least (`>=20`), or none. */
function releaseFor(name: string): string | undefined {
  const manifest = manifestOf(name)
  if (manifest === undefined) throw new Error(`${name} is not installed in bench/`)
  const here = Number.parseInt(process.versions.node, 10)
  const allowed = (manifest.engines?.node ?? '>=0').split('||').map(range => {
    const [, sign, major] = /^\s*(>=|\^)\s*(\d+)/.exec(range) ?? []
    if (major === undefined) throw new Error(`${name} wants node ${manifest.engines?.node}, which this bench cannot read`)
    return sign === '^' ? Number(major) === here : Number(major) <= here
  })
  return allowed.includes(true) ? undefined : OTHER_NODE
}
