cd ..
asv machine --yes
asv find "$GOOD~..$BAD" track.track_cpu_seconds
