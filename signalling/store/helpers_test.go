package store

import (
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// noRoom is what the system says when the disk is full.
const noRoom = syscall.ENOSPC

func putRemoved(stream string, list removedList) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error { return put(tx.Bucket(bucketRemoved), []byte(stream), list) }
}
