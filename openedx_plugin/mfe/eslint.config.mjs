import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import globals from 'globals';

const jsx = { parserOptions: { ecmaFeatures: { jsx: true } } };

export default [
  { ignores: ['dist/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['src/**/*.{js,jsx}'],
    languageOptions: { globals: globals.browser, ...jsx },
    plugins: { 'react-hooks': hooks },
    rules: hooks.configs.recommended.rules,
  },
  {
    files: ['tests/**/*.{js,jsx,mjs}', '*.mjs'],
    languageOptions: { globals: { ...globals.browser, ...globals.node }, ...jsx },
  },
  {
    // What stands in JSX only is used; the rules of core do not know it.
    files: ['**/*.{jsx,js,mjs}'],
    rules: {
      'no-unused-vars': ['error', { varsIgnorePattern: '^(React|[A-Z]\\w*)$' }],
      'prefer-const': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
      'max-len': ['error', { code: 160 }],
    },
  },
];
