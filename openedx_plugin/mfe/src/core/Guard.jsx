import React from 'react';

/** Shows nothing where drawing fails, as with the answer of another version: the dashboard around it goes on. */
export class Guard extends React.Component {
  constructor(props) {
    super(props);
    this.state = { failed: false };
  }

  static getDerivedStateFromError() {
    return { failed: true };
  }

  render() {
    return this.state.failed ? null : this.props.children;
  }
}
