"""What every other part uses: configs, files, messages. It knows nothing of models."""
