// Compile src/ into dist/: CommonJS and ES modules for each shell, and the style sheet beside them.
// The shells do not compile the JSX of packages, so what is packed is plain JavaScript.
import { cp, rm } from 'node:fs/promises';
import { build } from 'esbuild';

await rm('dist', { recursive: true, force: true });
for (const format of ['esm', 'cjs']) {
  await build({
    entryPoints: ['src/legacy.js', 'src/frontend-base.js'],
    outdir: `dist/${format}`,
    bundle: true,
    format,
    platform: 'neutral',
    target: 'es2019',
    charset: 'utf8',
    jsx: 'transform',
    // React and the shell's own packages are the shell's; a style sheet is for its bundler.
    packages: 'external',
    plugins: [{
      name: 'style sheet',
      setup({ onResolve }) {
        onResolve({ filter: /\.css$/ }, () => ({ path: '../widget.css', external: true, sideEffects: true }));
      },
    }],
    logLevel: 'warning',
  });
}
await cp('src/widget.css', 'dist/widget.css');
