// Puts the addon built here where the package ships it: prebuilds/<platform>-<arch>/. Run by `npm pack`.
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL(`../prebuilds/${process.platform}-${process.arch}/`, import.meta.url));
mkdirSync(folder, { recursive: true });
copyFileSync(fileURLToPath(new URL('../build/Release/sesd.node', import.meta.url)), `${folder}sesd.node`);
