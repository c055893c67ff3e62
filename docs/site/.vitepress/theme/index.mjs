// VitePress' own theme, with more room for tables.
import DefaultTheme from 'vitepress/theme';
import './style.css';

export default DefaultTheme;
