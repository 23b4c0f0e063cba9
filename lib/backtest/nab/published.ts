import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { NabFile } from './corpus.js'

const run = promisify(execFile)

/** What a published detector said of a file, and what the benchmark's own scorer made of each row by its standard profile. */
export interface Published {
  readonly scores: Float64Array
  readonly rowValues: Float64Array
}

/**
 * Of the files that the archive has of a detector; of the others it says nothing.
 *
 * @throws Error with what is to be installed, where there is no tar or no xz
 */
export async function readPublished(folder: string, detector: string, files: readonly NabFile[]): Promise<Map<NabFile, Published>> {
  const into = await mkdtemp(join(tmpdir(), 'forelock-nab-'))
  try {
    await extract(join(folder, 'published_detector_scores_aws_knowncause.tar.xz'), into, `results/${detector}`)
    const found = new Map<NabFile, Published>()
    for (const file of files) {
      const path = join(into, 'results', detector, file.name.replace('/', `/${detector}_`))
      if (existsSync(path)) found.set(file, parse(await readFile(path, 'utf8'), path))
    }
    return found
  } finally {
    await rm(into, { recursive: true, force: true })
  }
}

async function extract(archive: string, into: string, what: string): Promise<void> {
  try {
    await run('tar', ['-xf', archive, '-C', into, what])
  } catch (cause) {
    const hint = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'tar is not installed' : 'it may need xz: apt-get install xz-utils'
    throw new Error(`could not read ${archive}: ${hint}`, { cause })
  }
}

function parse(text: string, path: string): Published {
  const [head = '', ...lines] = text.trim().split(/\r?\n/)
  const names = head.split(',')
  const column = (name: string) => {
    const at = names.indexOf(name)
    if (at < 0) throw new Error(`${path} has no column ${name}`)
    return Float64Array.from(lines, line => Number(line.split(',')[at]))
  }
  return { scores: column('anomaly_score'), rowValues: column('S(t)_standard') }
}
