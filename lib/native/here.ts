import { fileURLToPath } from 'node:url'

/** The folder of this module. here.commonjs.ts says the same where there is no import.meta. */
export const here = fileURLToPath(new URL('.', import.meta.url))
