/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory, strings, timers, locks, seq_file. */
#ifndef _SAMPLE_COMPAT_CORE_H
#define _SAMPLE_COMPAT_CORE_H

#ifndef HAVE_KMALLOC_OBJ
#include <linux/slab.h>

#define compat_gfp(_, gfp, ...) gfp
#define kmalloc_obj(var_or_type, ...)					\
	((typeof(var_or_type) *)kmalloc(sizeof(var_or_type),		\
		compat_gfp(, ##__VA_ARGS__, GFP_KERNEL)))
#endif

#ifndef HAVE_STRSCPY_ARRAY
/* strscpy(array, src) knows the size by itself; headers may still give it. */
#include <linux/kernel.h>
#include <linux/string.h>

#define compat_strscpy2(dst, src) \
	strscpy(dst, src, sizeof(dst) + __must_be_array(dst))
#define compat_strscpy3(dst, src, size) \
	strscpy(dst, src, size)
#define strscpy(...) \
	CONCATENATE(compat_strscpy, COUNT_ARGS(__VA_ARGS__))(__VA_ARGS__)
#endif

#ifndef HAVE_TIMER_CONTAINER_OF
#include <linux/timer.h>

#define timer_container_of(var, timer, field) from_timer(var, timer, field)
#endif

#ifndef HAVE_TIMER_SHUTDOWN_SYNC
/* Enough when nobody but the timer itself can start the timer again. */
#include <linux/timer.h>

#define timer_shutdown_sync(timer) del_timer_sync(timer)
#endif

#ifndef HAVE_GUARD
/* The kernel's own construction, without the parts that we do not use. */
#include <linux/compiler.h>
#include <linux/spinlock.h>

#define DEFINE_LOCK_GUARD_1(_name, _type, _lock, _unlock)		\
typedef struct {							\
	_type *lock;							\
} class_##_name##_t;							\
									\
static inline class_##_name##_t class_##_name##_constructor(_type *l)	\
{									\
	class_##_name##_t guard = { .lock = l }, *_T = &guard;		\
									\
	_lock;								\
	return guard;							\
}									\
									\
static inline void class_##_name##_destructor(class_##_name##_t *_T)	\
{									\
	_unlock;							\
}

#define guard(_name)							\
	class_##_name##_t __UNIQUE_ID(guard)				\
	__attribute__((__cleanup__(class_##_name##_destructor))) =	\
	class_##_name##_constructor

DEFINE_LOCK_GUARD_1(spinlock, spinlock_t,
		    spin_lock(_T->lock), spin_unlock(_T->lock))
#endif

#ifndef HAVE_GUARD_SPINLOCK_BH
#include <linux/spinlock.h>

DEFINE_LOCK_GUARD_1(spinlock_bh, spinlock_t,
		    spin_lock_bh(_T->lock), spin_unlock_bh(_T->lock))
#endif

#ifndef HAVE_SHOW_STORE_ATTRIBUTE
#include <linux/seq_file.h>

#define DEFINE_SHOW_STORE_ATTRIBUTE(_name)				\
static int _name##_open(struct inode *inode, struct file *file)		\
{									\
	return single_open(file, _name##_show, inode->i_private);	\
}									\
									\
static const struct file_operations _name##_fops = {			\
	.owner		= THIS_MODULE,					\
	.open		= _name##_open,					\
	.read		= seq_read,					\
	.write		= _name##_write,				\
	.llseek		= seq_lseek,					\
	.release	= single_release,				\
}
#endif

#endif /* _SAMPLE_COMPAT_CORE_H */
