// Stands for @openedx/frontend-plugin-framework: its PluginSlot hands its pluginProps to each widget.
import React from 'react';

export const DIRECT_PLUGIN = 'DIRECT_PLUGIN';
export const PLUGIN_OPERATIONS = { Insert: 'insert' };

/** Return the component of slots, for the configuration of env.config.jsx; content by default has priority 50. */
export function slotOf(config) {
  return function PluginSlot({ id, pluginProps = {}, children }) {
    const { plugins = [], keepDefault = true } = config.pluginSlots[id] || {};
    const widgets = plugins
      .filter((one) => one.op === PLUGIN_OPERATIONS.Insert && one.widget.type === DIRECT_PLUGIN)
      .map(({ widget: { id: key, priority, RenderWidget } }) => ({ key, priority, node: <RenderWidget {...pluginProps} id={key} /> }));
    if (keepDefault) {
      widgets.push({ key: 'default', priority: 50, node: children });
    }
    widgets.sort((one, other) => one.priority - other.priority);
    return widgets.map(({ key, node }) => <React.Fragment key={key}>{node}</React.Fragment>);
  };
}
