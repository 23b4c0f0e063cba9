import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const BENCH = join(ROOT, 'bench')
export const BUILT = join(BENCH, 'build-js')
export const NATIVE = join(BENCH, 'native')
export const FLOORS_ADDON = join(NATIVE, 'build', 'Release', 'floors.node')
export const OWN_MODULE = pathToFileURL(join(ROOT, 'dist', 'esm', 'index.js')).href

/** The scripts of the package are plain JavaScript, because they also run before anything is installed. */
const script = (file: string) => import(pathToFileURL(join(ROOT, 'scripts', 'tools', file)).href)

export const { nodeRelease } = (await script('nodes.mjs')) as { nodeRelease(version: string): Promise<string> }
export const { withHeaders } = (await script('headers.mjs')) as { withHeaders(): Promise<NodeJS.ProcessEnv> }
export const { isStale } = (await script('stale.mjs')) as { isStale(outputs: string[], inputs: string[], skip?: string[]): boolean }
export const { must } = (await script('run.mjs')) as {
  must(
    command: string,
    args: string[],
    options?: { env?: NodeJS.ProcessEnv; cwd?: string; capture?: boolean; quiet?: boolean }
  ): Promise<string>
}
